/**
 * How does the time to all digits grow with n, against digits·log(digits)?
 *
 * Usage: node bench/src/scaling.ts [n…]. In one warm process: the product and every digit taken, medians; digests are printed for comparison.
 */
import { computeFactorial, defaultBudget } from '@factorial/compute';
import { median } from './measured-process.ts';
import { record } from './record.ts';

const numbers =
  process.argv.length > 2 ? process.argv.slice(2) : ['1000', '10000', '100000', '1000000', '10000000', '30000000'];
const threads = 2;

interface Point {
  readonly n: string;
  readonly digits: number;
  readonly seconds: number;
  readonly sha256: string;
  /** Growth of the time over that of digits·log(digits), from the point before. */
  readonly growth?: number;
}

const points: Point[] = [];
await secondsFor('20000');
for (const n of numbers) points.push(await measure(n, points.at(-1)));
record('scaling', { threads, points });

async function measure(n: string, before: Point | undefined): Promise<Point> {
  const runs: number[] = [];
  let digits = 0;
  let sha256 = '';
  for (let round = 0; round < (Number(n) > 20_000_000 ? 3 : 7); round++) {
    const run = await secondsFor(n);
    runs.push(run.seconds);
    ({ digits, sha256 } = run);
  }
  const seconds = median(runs);
  const point = { n, digits, seconds, sha256 };
  if (before === undefined) return point;
  const work = (count: number) => count * Math.log(count);
  return { ...point, growth: seconds / before.seconds / (work(digits) / work(before.digits)) };
}

async function secondsFor(n: string): Promise<{ seconds: number; digits: number; sha256: string }> {
  const startMs = performance.now();
  const result = await computeFactorial(n, { budget: defaultBudget({ threads, engine: 'decimal' }) });
  let digits = 0;
  for await (const chunk of result.digits()) digits += chunk.length;
  return { seconds: (performance.now() - startMs) / 1000, digits, sha256: await result.sha256 };
}
