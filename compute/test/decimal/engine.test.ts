import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { computeFactorial, defaultBudget, planFactorial } from '../../src/index.ts';
import { seededRandom } from './random.ts';

interface Golden {
  readonly digits: number;
  readonly sha256: string;
}
const file = readFileSync(new URL('../golden/factorials.json', import.meta.url), 'utf8');
const { factorials } = JSON.parse(file) as { factorials: Record<string, Golden> };
/** 10^7! takes a second; what is larger is left to the benchmark. */
const vectors = Object.entries(factorials).filter(([n]) => Number(n) <= 10_000_000);

async function digest(
  n: number | string,
  engine: 'decimal' | 'gmp',
  threads: number,
  blockingSeconds?: number,
): Promise<{ sha256: string; digits: number }> {
  const blocking = blockingSeconds === undefined ? {} : { blockingSeconds };
  const result = await computeFactorial(n, { budget: defaultBudget({ threads, engine, ...blocking }) });
  let digits = 0;
  for await (const chunk of result.digits()) digits += chunk.length;
  return { sha256: await result.sha256, digits };
}

describe('the decimal engine', () => {
  test.each(vectors)('gives the golden %s!', async (n, golden) => {
    expect(await digest(n, 'decimal', 2)).toEqual({ sha256: golden.sha256, digits: golden.digits });
  });

  test('agrees with the gmp engine for hundreds of random n up to 300,000, at once and on one to three threads', async () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    // Of every magnitude, because small n have borders of their own; and evenly, because most n are large.
    const ofAnyMagnitude = Array.from({ length: 210 }, () => Math.floor(300_001 ** random()) - 1);
    const evenly = Array.from({ length: 8 }, () => Math.floor(300_001 * random()));
    const numbers = [...new Set([...ofAnyMagnitude, ...evenly])];
    expect(numbers.length, `seed ${seed}`).toBeGreaterThan(120);
    const expected: Awaited<ReturnType<typeof digest>>[] = [];
    for (const n of numbers) expected.push(await digest(n, 'gmp', 2));
    // Threads first, as many as before, so that they need not start for every n; with 0 no n is computed on the calling thread.
    for (const [index, n] of numbers.entries()) {
      const threads = 1 + Math.floor((3 * index) / numbers.length);
      const label = `seed ${seed}: ${n}! on ${threads} threads`;
      expect(await digest(n, 'decimal', threads, 0), label).toEqual(expected[index]);
    }
    for (const [index, n] of numbers.entries()) {
      expect(await digest(n, 'decimal', 1, 1), `seed ${seed}: ${n}! at once`).toEqual(expected[index]);
    }
  });

  test('is what a plan chooses when nothing is said', () => {
    for (const n of [0, 10, 1000, 30_000, 1_000_000]) {
      expect(planFactorial(n, defaultBudget({ memoryBytes: 2 ** 30, threads: 2 })).engine).toBe('decimal');
    }
  });

  test('is refused with a remedy where one memory cannot hold the number and there is no scratch', () => {
    const budget = defaultBudget({ memoryBytes: 2 ** 33, threads: 2, engine: 'decimal' });
    expect(() => planFactorial(10n ** 9n, budget)).toThrow(/MiB of scratch/);
    expect(() => planFactorial(10n ** 12n, budget)).toThrow(/largest n that fits/);
  });
});
