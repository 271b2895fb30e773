/**
 * Prints seconds from the call to the last digit beside what the price says (src/engine/decimal/price.ts, work.ts), the least of several runs each, with
 * threads that start for the run: those that wait for it (idleThreadsMs) are not in the price. Usage: node price.ts [n…]
 */
import { computeFactorial, defaultBudget, planFactorial } from '../src/index.ts';

const numbers = process.argv.length > 2 ? process.argv.slice(2) : ['50000', '200000', '500000', '1000000', '10000000'];
for (const n of numbers) {
  for (const threads of [2, 1]) {
    const budget = defaultBudget({ threads, engine: 'decimal' });
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < (Number(n) < 1_000_000 ? 9 : 3); round++) {
      const startMs = performance.now();
      const result = await computeFactorial(n, { budget, idleThreadsMs: 0 });
      for await (const chunk of result.digits()) chunk.fill(0);
      least = Math.min(least, (performance.now() - startMs) / 1000);
    }
    const { estimatedSeconds } = planFactorial(BigInt(n), budget);
    const off = 100 * (estimatedSeconds / least - 1);
    console.log(
      `${n}! on ${threads}: ${least.toFixed(3)} s, the price says ${estimatedSeconds.toFixed(3)} (${off.toFixed(0)} %)`,
    );
  }
}
