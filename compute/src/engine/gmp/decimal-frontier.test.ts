import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limbsOf } from '../../../test/limbs.ts';
import { InlinePool } from '../../pool/inline-pool.ts';
import { ProgressMeter } from '../../progress-meter.ts';
import { DecimalFrontier } from './decimal-frontier.ts';
import { nodeDigits, textsPerThread } from './layout.ts';

/** Runs tasks inline but lets several be under way, in a delayed order, as threads would. */
class ShufflingPool extends InlinePool {
  override readonly concurrency: number;
  readonly #delays: readonly number[];
  started = 0;

  constructor(concurrency: number, delays: readonly number[]) {
    super(new AbortController().signal);
    this.concurrency = concurrency;
    this.#delays = delays;
  }

  override async run<Result>(workerModule: URL, task: unknown): Promise<Result> {
    const turns = this.#delays[this.started++ % this.#delays.length]!;
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    return super.run(workerModule, task);
  }
}

function frontierOf(pool: InlinePool, value: bigint, leafDigits: number, topLevel: number): DecimalFrontier {
  const layout = { leafDigits, topLevel };
  const powers = Array.from({ length: topLevel }, (_, level) => limbsOf(10n ** BigInt(nodeDigits(layout, level))));
  return new DecimalFrontier(pool, layout, powers, limbsOf(value), new ProgressMeter(1, undefined));
}

const shape = fc.record({
  leafDigits: fc.integer({ min: 1, max: 30 }),
  topLevel: fc.nat(6),
  concurrency: fc.integer({ min: 1, max: 5 }),
  delays: fc.array(fc.nat(3), { minLength: 1, maxLength: 10 }),
  permille: fc.nat(1000),
});

test('any number, layout, concurrency and order of completion gives the digits in order', async () => {
  await fc.assert(
    fc.asyncProperty(shape, async ({ leafDigits, topLevel, concurrency, delays, permille }) => {
      const digitCount = leafDigits * 2 ** topLevel;
      const value = ((10n ** BigInt(digitCount) - 1n) * BigInt(permille)) / 1000n;
      const frontier = frontierOf(new ShufflingPool(concurrency, delays), value, leafDigits, topLevel);
      let text = '';
      for await (const leaf of frontier.texts()) text += Buffer.from(leaf).toString();
      expect(text).toBe(value.toString().padStart(digitCount, '0'));
    }),
    { numRuns: 60 },
  );
});

test('without a consumer the work stops at the read-ahead', async () => {
  const pool = new ShufflingPool(2, [0]);
  const texts = frontierOf(pool, 10n ** 600n, 10, 6).texts();
  await texts.next();
  await new Promise((resolve) => setTimeout(resolve, 100));
  // 63 divisions and 64 texts are the whole; the divisions left of the bound and the bounded texts are what may have been done.
  expect(pool.started).toBeLessThan(6 + 3 * (textsPerThread * 2 + 2));
  await texts.return(undefined);
});
