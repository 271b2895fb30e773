import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startFactorial } from '../src/compute-factorial.ts';
import {
  computeFactorial,
  defaultBudget,
  InputError,
  KernelError,
  minMemoryBytes,
  PlanCapacityError,
  type Progress,
} from '../src/index.ts';
import { factorialNaive } from './factorial-naive.ts';
import { collectDigits, sha256Of } from './text.ts';

const threaded = 30_000;

test('random n up to 50,000 with random threads and chunk sizes are those multiplied out', async () => {
  const shapes = fc.record({
    n: fc.nat(50_000),
    threads: fc.integer({ min: 1, max: 3 }),
    maxChunkBytes: fc.constantFrom(1000, 1001, 65_536, 2 ** 30),
  });
  await fc.assert(
    fc.asyncProperty(shapes, async ({ n, threads, maxChunkBytes }) => {
      const result = await computeFactorial(n, { maxChunkBytes, budget: defaultBudget({ threads, engine: 'gmp' }) });
      const { text, chunkBytes } = await collectDigits(result);
      const expected = factorialNaive(n).toString();
      expect(text === expected).toBe(true);
      expect(Math.max(...chunkBytes)).toBeLessThanOrEqual(maxChunkBytes);
      expect(await result.sha256).toBe(sha256Of(expected));
    }),
    { numRuns: 15 },
  );
});

test('chunks of a single byte come in order', async () => {
  const { text, chunkBytes } = await collectDigits(await computeFactorial(30, { maxChunkBytes: 1 }));
  expect(text).toBe(factorialNaive(30).toString());
  expect(new Set(chunkBytes)).toEqual(new Set([1]));
});

test('a chunk belongs to whoever got it: it may be overwritten and transferred away', async () => {
  const result = await computeFactorial(threaded, { maxChunkBytes: 10_000 });
  let bytes = 0;
  for await (const chunk of result.digits()) {
    bytes += chunk.length;
    chunk.fill(0);
    structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] });
  }
  expect(BigInt(bytes)).toBe(result.digitCount);
  expect(await result.sha256).toBe(sha256Of(factorialNaive(threaded).toString()));
});

test('many runs at once do not disturb each other', async () => {
  const numbers = [0, 1, 500, 501, 9999, 24_999, 26_000, 31_000];
  const texts = await Promise.all(numbers.map(async (n) => (await collectDigits(await computeFactorial(n))).text));
  for (const [index, n] of numbers.entries()) expect(texts[index] === factorialNaive(n).toString()).toBe(true);
});

test('progress only grows, names its phases in order and reaches the total at the end', async () => {
  for (const n of [0, 100, threaded]) {
    const events: Progress[] = [];
    const result = await computeFactorial(n, { onProgress: (progress) => events.push(progress) });
    expect(events.at(-1)!.done).toBeLessThan(result.plan.threads === 0 ? Number.POSITIVE_INFINITY : events[0]!.total);
    await collectDigits(result);
    const done = events.map((event) => event.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(new Set(events.map((event) => event.total)).size).toBe(1);
    expect(events[0]!.phase).toBe('sieve');
    expect(events.at(-1)).toMatchObject({ phase: 'emit', done: events[0]!.total, total: events[0]!.total });
  }
});

test('a flipped digit anywhere is detected and the text does not finish', async () => {
  for (const n of [10, 20_000, threaded]) {
    const digitCount = factorialNaive(n).toString().length;
    for (const position of [0, 1, 21, Math.floor(digitCount / 2), digitCount - 1].filter((at) => at < digitCount)) {
      let offset = 0;
      const corruptChunk = (chunk: Uint8Array): void => {
        const index = position - offset;
        if (index >= 0 && index < chunk.length) chunk[index] = chunk[index]! === 57 ? 48 : chunk[index]! + 1;
        offset += chunk.length;
      };
      const result = await startFactorial(n, { lendChunks: position % 2 === 0 }, { corruptChunk });
      const failure = await collectDigits(result).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(KernelError);
      expect((failure as KernelError).code).toBe('verification-failed');
      await expect(result.sha256).rejects.toBe(failure);
    }
  }
});

test('two digits exchanged are detected, and so is a byte that is no digit', async () => {
  const exchange = (chunk: Uint8Array): void => {
    const index = chunk.findIndex((digit, at) => at > 30 && digit !== chunk[at + 1]);
    [chunk[index], chunk[index + 1]] = [chunk[index + 1]!, chunk[index]!];
  };
  const spoil = (chunk: Uint8Array): void => {
    chunk[40] = 0;
  };
  for (const corruptChunk of [exchange, spoil]) {
    const result = await startFactorial(100, {}, { corruptChunk });
    await expect(collectDigits(result)).rejects.toMatchObject({ code: 'verification-failed' });
  }
});

test('digits can be taken once', async () => {
  const result = await computeFactorial(10);
  await collectDigits(result);
  expect(() => result.digits()).toThrow(InputError);
});

test('bad numbers and options reject before anything starts', async () => {
  for (const n of [-1, 1.5, 'x', '', null, undefined, 10n ** 19n, '9'.repeat(100)]) {
    await expect(computeFactorial(n)).rejects.toBeInstanceOf(InputError);
  }
  for (const maxChunkBytes of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
    await expect(computeFactorial(5, { maxChunkBytes })).rejects.toBeInstanceOf(InputError);
  }
  const budget = { ...defaultBudget(), threads: 0 };
  await expect(computeFactorial(5, { budget })).rejects.toBeInstanceOf(InputError);
});

test('what the budget cannot hold is refused before anything starts', async () => {
  const budget = defaultBudget({ memoryBytes: minMemoryBytes, engine: 'gmp' });
  await expect(computeFactorial(5_000_000, { budget })).rejects.toBeInstanceOf(PlanCapacityError);
});
