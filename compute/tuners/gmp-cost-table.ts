/** Prints the rows of `src/engine/gmp/cost-table.ts`: median seconds of whole runs, n → all digits, on one thread and on two. */
import type { defaultBudget as Budget, computeFactorial as Compute } from '../src/index.ts';

const index = new URL('../dist/index.js', import.meta.url).href;
const { computeFactorial, defaultBudget } = (await import(index)) as {
  computeFactorial: typeof Compute;
  defaultBudget: typeof Budget;
};

async function measureSeconds(n: number, threads: number): Promise<number> {
  const startMs = performance.now();
  const result = await computeFactorial(n, { budget: defaultBudget({ threads, engine: 'gmp' }) });
  for await (const chunk of result.digits()) chunk.fill(0);
  return (performance.now() - startMs) / 1000;
}

async function medianSeconds(n: number, threads: number): Promise<number> {
  const runs: number[] = [];
  for (let run = 0; run < (n > 1_000_000 ? 1 : 5); run++) runs.push(await measureSeconds(n, threads));
  return runs.toSorted((a, b) => a - b)[Math.floor(runs.length / 2)]!;
}

await measureSeconds(20_000, 1);
for (const n of [1_000, 24_999, 25_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000]) {
  const [oneThread, twoThreads] = [await medianSeconds(n, 1), await medianSeconds(n, 2)];
  console.log(`  { n: ${n}, oneThread: ${oneThread.toPrecision(2)}, twoThreads: ${twoThreads.toPrecision(2)} },`);
}
