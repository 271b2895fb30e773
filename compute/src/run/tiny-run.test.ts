import { createHash } from 'node:crypto';
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { factorialNaive } from '../../test/factorial-naive.ts';
import { collectDigits } from '../../test/text.ts';
import { startFactorial } from '../compute-factorial.ts';
import {
  computeFactorial,
  defaultBudget,
  type FactorialResult,
  InputError,
  type Progress,
  SharedBudget,
} from '../index.ts';
import { planFactorial } from '../plan/plan-factorial.ts';
import { tinyFactorialLimit } from '../tiny-factorial.ts';
import { isTiny, TinyRun, tinyBlockingSeconds } from './tiny-run.ts';

const limit = Number(tinyFactorialLimit);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function chunksOf(result: FactorialResult): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of result.digits()) chunks.push(chunk);
  return chunks;
}

test('a tiny n goes the short way, and its plan, asked for, is what was done', async () => {
  for (const n of [0, 1, 24, 25, 1_000, 1_899, 1_900, 1_901, 12_345, limit]) {
    for (const budget of [
      undefined,
      defaultBudget({ memoryBytes: 2 ** 26, threads: 1, blockingSeconds: tinyBlockingSeconds }),
      defaultBudget({ engine: 'decimal', threads: 256 }),
    ]) {
      const result = await computeFactorial(n, budget === undefined ? {} : { budget });
      expect(result).toBeInstanceOf(TinyRun);
      const { plan, digitCount, trailingZeros, engine } = result;
      expect(plan).toEqual(planFactorial(n, budget));
      expect({ threads: plan.threads, storage: plan.storage, engine: plan.engine }).toEqual({
        threads: 0,
        storage: 'memory',
        engine,
      });
      expect([plan.digitCount, plan.trailingZeros]).toEqual([`${digitCount}`, `${trailingZeros}`]);
      await result[Symbol.asyncDispose]();
    }
  }
});

test('a tiny n waits neither for threads nor for memory that others have, beside a run that has all', async () => {
  const budget = defaultBudget({ threads: 2, blockingSeconds: 0, engine: 'decimal' });
  const { memoryBytes } = planFactorial(300_000, budget);
  const sharedBudget = new SharedBudget({ memoryBytes, scratchBytes: 0 });
  await using other = await computeFactorial(300_000, { budget, sharedBudget, idleThreadsMs: 0 });
  expect(sharedBudget.taken.memoryBytes).toBe(memoryBytes);
  const phases = new Set<string>();
  const onProgress = ({ phase }: Progress) => phases.add(phase);
  for (const n of [10, 10_000, limit]) {
    const { text } = await collectDigits(await computeFactorial(n, { sharedBudget, onProgress }));
    expect(text === factorialNaive(n).toString()).toBe(true);
  }
  expect(phases.has('waiting')).toBe(false);
  expect(sharedBudget.taken.memoryBytes).toBe(other.plan.memoryBytes);
});

test('what needs more than the short way has does not go it', async () => {
  const budget = defaultBudget();
  expect(isTiny(tinyFactorialLimit + 1n, budget)).toBe(false);
  expect(isTiny(100n, { ...budget, engine: 'gmp' })).toBe(false);
  expect(isTiny(100n, { ...budget, blockingSeconds: 0.001 })).toBe(false);
});

test('any n in chunks of any size gives n! and its checksum, in bytes that are the caller’s', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 3_000 }),
      fc.integer({ min: 1, max: 9_500 }),
      fc.boolean(),
      async (n, maxChunkBytes, askFirst) => {
        const expected = factorialNaive(n).toString();
        const result = await computeFactorial(n, { maxChunkBytes });
        const early = askFirst ? result.sha256 : undefined;
        let text = '';
        for await (const chunk of result.digits()) {
          expect(chunk.length).toBeLessThanOrEqual(maxChunkBytes);
          expect(chunk.byteLength).toBe(chunk.buffer.byteLength);
          text += Buffer.from(chunk).toString();
          chunk.fill(0);
        }
        expect(text === expected).toBe(true);
        expect(await (early ?? result.sha256)).toBe(sha256(expected));
      },
    ),
  );
});

test('many at once do not disturb each other, however their pulls interleave', async () => {
  const numbers = [2_000, 1_000, 4_000, 100, 2_000];
  const results = await Promise.all(numbers.map((n) => computeFactorial(n, { maxChunkBytes: 700 })));
  const texts = await Promise.all(results.map(async (result) => Buffer.concat(await chunksOf(result)).toString()));
  expect(texts.map(sha256)).toEqual(numbers.map((n) => sha256(factorialNaive(n).toString())));
});

test('a flipped digit in any chunk is noticed before the last chunk is handed out', async () => {
  for (const at of [0, 1, 1_500, 2_567]) {
    const corruptChunk = (chunk: Uint8Array, offset: bigint): void => {
      const index = at - Number(offset);
      if (index >= 0 && index < chunk.length) chunk[index]! ^= 1;
    };
    const result = await startFactorial(1_000, { maxChunkBytes: 1_000 }, { corruptChunk });
    const taken: Uint8Array[] = [];
    const take = async () => {
      for await (const chunk of result.digits()) taken.push(chunk);
    };
    await expect(take()).rejects.toMatchObject({ code: 'verification-failed' });
    expect(taken.length).toBe(2);
    await expect(result.sha256).rejects.toMatchObject({ code: 'verification-failed' });
  }
});

test('an abort before the start, before the digits, among them and after them does what it does to any run', async () => {
  const reason = new Error('enough');
  await expect(computeFactorial(50, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);

  const early = new AbortController();
  const unread = await computeFactorial(50, { signal: early.signal });
  const waiting = unread.sha256;
  early.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(collectDigits(unread)).rejects.toBe(reason);

  const middle = new AbortController();
  const broken = await computeFactorial(500, { signal: middle.signal, maxChunkBytes: 100 });
  const iterator = broken.digits()[Symbol.asyncIterator]();
  await iterator.next();
  middle.abort(reason);
  await expect(iterator.next()).rejects.toBe(reason);
  await expect(broken.sha256).rejects.toBe(reason);
  expect((await iterator.next()).done).toBe(true);

  const late = new AbortController();
  const finished = await computeFactorial(50, { signal: late.signal });
  await collectDigits(finished);
  late.abort(reason);
  expect(await finished.sha256).toBe(sha256(factorialNaive(50).toString()));
});

test('digits can be taken once, not at all from a result that is disposed, and a break gives them up', async () => {
  const once = await computeFactorial(10);
  await collectDigits(once);
  expect(() => once.digits()).toThrow(InputError);

  const disposed = await computeFactorial(10);
  await disposed[Symbol.asyncDispose]();
  await disposed[Symbol.asyncDispose]();
  await expect(disposed.sha256).rejects.toMatchObject({ name: 'AbortError' });
  await expect(collectDigits(disposed)).rejects.toMatchObject({ name: 'AbortError' });

  const left = await computeFactorial(500, { maxChunkBytes: 100 });
  for await (const _ of left.digits()) break;
  await expect(left.sha256).rejects.toMatchObject({ name: 'AbortError' });
});

test('a signal has a listener only while somebody waits for a checksum', async () => {
  const { signal } = new AbortController();
  const result = await computeFactorial(50, { signal });
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  const waiting = result.sha256;
  expect(getEventListeners(signal, 'abort').length).toBe(1);
  await collectDigits(result);
  await waiting;
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('progress goes from the sieve to the last digit, and a listener that throws fails the run', async () => {
  const events: Progress[] = [];
  const result = await computeFactorial(2_000, { maxChunkBytes: 1_000, onProgress: (event) => events.push(event) });
  await collectDigits(result);
  expect(new Set(events.map(({ phase }) => phase))).toEqual(new Set(['sieve', 'product', 'emit']));
  expect(events.map(({ done }) => done)).toEqual(events.map(({ done }) => done).toSorted((a, b) => a - b));
  expect(events.at(-1)).toMatchObject({ phase: 'emit', done: events[0]!.total, remainingSeconds: 0 });

  const broken = new Error('listener');
  const onProgress = ({ phase }: Progress) => {
    if (phase === 'emit') throw broken;
  };
  const failing = await computeFactorial(2_000, { onProgress });
  await expect(collectDigits(failing)).rejects.toBe(broken);
  await expect(failing.sha256).rejects.toBe(broken);
});
