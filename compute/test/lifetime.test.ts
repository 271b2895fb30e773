import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { computeFactorial, defaultBudget, type Progress } from '../src/index.ts';
import { collectDigits } from './text.ts';
import { threadIds } from './worker-threads.ts';

/** Takes about a second on two threads. */
const long = 700_000;
const budget = defaultBudget({ threads: 2, engine: 'gmp' });
/** Within this time of an abort everything must have stopped: threads ended, promises settled. */
const abortLimitMs = 200;

afterEach(() => {
  expect(threadIds()).toHaveLength(0);
  expect(process.getActiveResourcesInfo()).not.toContain('MessagePort');
});

test('the leak check sees the threads of a waiting run', async () => {
  await using result = await computeFactorial(long, { budget });
  expect(threadIds()).toHaveLength(result.threads);
});

test('a run that is aborted at any moment stops within 200 ms with the reason and leaves no thread', async () => {
  const stopMs: number[] = [];
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
        await collectDigits(result);
        // Whatever was quicker than the abort waits for it.
        while (!controller.signal.aborted) await sleep(5);
        throw reason;
      };
      await expect(run()).rejects.toBe(reason);
      stopMs.push(performance.now() - abortedMs);
      expect(threadIds()).toHaveLength(0);
    }),
    { numRuns: 9 },
  );
  // The median: on a busy machine a single run may have to wait for a core.
  expect(stopMs.toSorted((a, b) => a - b)[4]).toBeLessThan(abortLimitMs);
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

test('a consumer that stops pulling holds the run back: little is divided or written ahead of it', async () => {
  let steps = 0;
  const onProgress = ({ phase }: Progress): void => {
    if (phase === 'decimal') steps++;
  };
  const result = await computeFactorial(long, { budget, onProgress });
  const iterator = result.digits()[Symbol.asyncIterator]();
  await iterator.next();
  await sleep(1500);
  // The whole would be 31 divisions and 32 texts; without back-pressure they are done by now.
  expect(steps).toBeLessThan(35);
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
