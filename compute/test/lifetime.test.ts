import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { computeFactorial, defaultBudget } from '../src/index.ts';
import { collectDigits } from './text.ts';

/** Takes about a second on two threads. */
const long = 700_000;
const budget = defaultBudget({ threads: 2, engine: 'gmp' });
/** Within this time of an abort everything must have stopped. */
const abortLimitMs = 200;

/** Threads of this process that run scripts, idle ones included. */
function workerThreads(): number {
  Object.assign(process.report, { excludeNetwork: true });
  return (process.report.getReport() as unknown as { workers: unknown[] }).workers.length;
}

afterEach(() => {
  expect(workerThreads()).toBe(0);
  expect(process.getActiveResourcesInfo()).not.toContain('MessagePort');
});

test('the leak check sees the threads of a waiting run', async () => {
  await using result = await computeFactorial(long, { budget });
  expect(workerThreads()).toBe(result.threads);
});

test('a run that is aborted at any moment stops at once with the reason and leaves no thread', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1000 }), async (afterMs) => {
      const controller = new AbortController();
      const reason = new Error(`stopped after ${afterMs} ms`);
      let abortedMs = 0;
      setTimeout(() => {
        abortedMs = performance.now();
        controller.abort(reason);
      }, afterMs);
      const run = async (): Promise<void> => {
        const result = await computeFactorial(long, { budget, signal: controller.signal });
        await collectDigits(result).finally(() => result.sha256.catch(() => undefined));
        // Whatever was quicker than the abort waits for it.
        while (!controller.signal.aborted) await sleep(5);
        throw reason;
      };
      await expect(run()).rejects.toBe(reason);
      expect(performance.now() - abortedMs).toBeLessThan(abortLimitMs);
    }),
    { numRuns: 8 },
  );
});

test('an abort while nobody pulls stops the threads, and the next pull throws the reason', async () => {
  const controller = new AbortController();
  const result = await computeFactorial(long, { budget, signal: controller.signal, maxChunkBytes: 1000 });
  const iterator = result.digits()[Symbol.asyncIterator]();
  await iterator.next();
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(result.sha256).rejects.toBe(reason);
  await expect(iterator.next()).rejects.toBe(reason);
  expect((await iterator.next()).done).toBe(true);
});

test('an aborted signal starts nothing', async () => {
  const reason = new Error('never mind');
  await expect(computeFactorial(long, { budget, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('breaking off the digits releases everything', async () => {
  const result = await computeFactorial(long, { budget });
  for await (const chunk of result.digits()) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  await expect(result.sha256).rejects.toMatchObject({ name: 'AbortError' });
});

test('a result that is disposed unread releases everything, and has no digits any more', async () => {
  const result = await computeFactorial(long, { budget });
  await result[Symbol.asyncDispose]();
  await result[Symbol.asyncDispose]();
  await expect(collectDigits(result)).rejects.toMatchObject({ name: 'AbortError' });
  await expect(result.sha256).rejects.toMatchObject({ name: 'AbortError' });
});

test('a slow consumer holds the run back: the work stops a few texts ahead of it', async () => {
  let advanced = 0;
  const result = await computeFactorial(long, { budget, onProgress: () => advanced++ });
  const iterator = result.digits()[Symbol.asyncIterator]();
  await iterator.next();
  // Divisions run to their end; after that nothing may move.
  await sleep(1500);
  const settled = advanced;
  await sleep(300);
  expect(advanced).toBe(settled);
  await iterator.return?.();
});

test('a caller signal outlives its runs without listeners piling up', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  for (let run = 0; run < 5; run++) await collectDigits(await computeFactorial(100, { signal }));
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('a progress listener that throws fails the run and leaves nothing behind', async () => {
  const broken = new Error('listener');
  const onProgress = () => {
    throw broken;
  };
  await expect(computeFactorial(long, { budget, onProgress })).rejects.toBe(broken);
});
