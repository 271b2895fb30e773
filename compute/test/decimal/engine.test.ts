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
): Promise<{ sha256: string; digits: number }> {
  const result = await computeFactorial(n, { budget: defaultBudget({ threads, engine }) });
  let digits = 0;
  for await (const chunk of result.digits()) digits += chunk.length;
  return { sha256: await result.sha256, digits };
}

describe('the decimal engine', () => {
  test.each(vectors)('gives the golden %s!', async (n, golden) => {
    expect(await digest(n, 'decimal', 2)).toEqual({ sha256: golden.sha256, digits: golden.digits });
  });

  test('agrees with the gmp engine for hundreds of random n up to 300,000, on one to three threads', async () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    // Most of them where a run takes milliseconds; the gmp engine starts threads from 25,000 on.
    const rounds: readonly (readonly [count: number, from: number, to: number])[] = [
      [180, 0, 25_000],
      [24, 25_000, 100_000],
      [12, 100_000, 300_001],
    ];
    for (const [count, from, to] of rounds) {
      for (let round = 0; round < count; round++) {
        const n = from + Math.floor(random() * (to - from));
        const threads = 1 + Math.floor(random() * 3);
        const expected = await digest(n, 'gmp', 2);
        expect(await digest(n, 'decimal', threads), `seed ${seed}: ${n}! on ${threads} threads`).toEqual(expected);
      }
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
