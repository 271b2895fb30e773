import { createReadStream } from 'node:fs';
import { runDecimal } from '../dist/engine/decimal/run.js';
import { defaultBudget } from '../dist/index.js';
import { factorialFacts, planFactorial, withSource } from '../dist/plan/plan-factorial.js';
import { startTaskPool } from '../dist/pool/start-task-pool.js';
import { ProgressMeter } from '../dist/progress-meter.js';

/** Seconds until n! is there, from each stored m! (`m.txt` in the folder) and afresh, beside those of the plan. Usage: source.ts folder n m… */
const [folder = '.', n = '10000000', ...stored] = process.argv.slice(2);
const threads = 2;
const budget = defaultBudget({ threads, memoryBytes: 4 * 2 ** 30 });

async function time(m: string | undefined): Promise<number> {
  const started = performance.now();
  const controller = new AbortController();
  const pool = await startTaskPool({ threads, signal: controller.signal });
  const afresh = factorialFacts(BigInt(n));
  const facts = m === undefined ? afresh : withSource(afresh, { m: BigInt(m), bytesPerSecond: 400e6 });
  const digits = () => createReadStream(`${folder}/${m}.txt`, { highWaterMark: 2 ** 18 });
  const plan = planFactorial(n, budget);
  const meter = new ProgressMeter(Number.MAX_SAFE_INTEGER, undefined);
  await runDecimal({
    facts,
    budget,
    plan,
    pool,
    meter,
    signal: controller.signal,
    source: { digits },
    own: () => undefined,
  });
  const seconds = (performance.now() - started) / 1000;
  await pool[Symbol.asyncDispose]();
  return seconds;
}

for (const m of [undefined, ...stored]) {
  const seconds = [await time(m), await time(m), await time(m)].toSorted((a, b) => a - b);
  const { from, estimatedSeconds } = planFactorial(n, budget, m === undefined ? {} : { from: { n: m } });
  console.log(m ?? 'afresh', seconds[0]?.toFixed(3), seconds[1]?.toFixed(3), from?.reason ?? estimatedSeconds);
}
