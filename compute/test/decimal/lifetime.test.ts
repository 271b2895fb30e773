import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { decimalEngine } from '../../src/engine/decimal/engine.ts';
import { multiplyInline } from '../../src/engine/decimal/inline.ts';
import type { ProductTask } from '../../src/engine/decimal/product-task.ts';
import { computeFactorial, defaultBudget, KernelError, type Progress } from '../../src/index.ts';
import { factorialFacts, planFactorial } from '../../src/plan/plan-factorial.ts';
import { startTaskPool } from '../../src/pool/start-task-pool.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import { ProgressMeter } from '../../src/progress-meter.ts';
import { threadIds } from '../worker-threads.ts';
import { seededRandom } from './random.ts';

/** Takes about half a second on two threads. */
const long = 5_000_000;
const budget = defaultBudget({ threads: 2, engine: 'decimal' });
const abortLimitMs = 200;
/** Threads end with their run. Those that wait for another: idle-threads.test.ts. */
const idleThreadsMs = 0;

afterEach(() => expect(threadIds()).toHaveLength(0));

const lossyNumber = 300_000n;

async function digestOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

let alone: Promise<string> | undefined;
/** The digest of the same digits from one thread that lives. */
function digestAlone(): Promise<string> {
  alone ??= (async () => {
    const { text } = multiplyInline(Number(lossyNumber), Number(factorialFacts(lossyNumber).digitCount));
    return createHash('sha256').update(text).digest('hex');
  })();
  return alone;
}

/** A run on two threads, the second of which dies after `fatalTask` tasks, `deaths` times at most: its digest, or its error. */
async function runWithDeaths(deaths: number, fatalTask: number): Promise<{ outcome: unknown; starts: number }> {
  const facts = factorialFacts(lossyNumber);
  const plan = planFactorial(facts.n, budget);
  const controller = new AbortController();
  await using pool = await startTaskPool({ threads: 2, signal: controller.signal });
  const starts = new SharedArrayBuffer(4);
  const dying = new URL('../fixtures/dying-product-task.mjs', import.meta.url);
  const lossy: TaskPool = {
    concurrency: 2,
    isWarm: pool.isWarm,
    kernels: (bytes) => pool.kernels(bytes),
    run: (module, task) =>
      module.pathname.endsWith('/product-task.js') && (task as ProductTask).threadIndex === 1
        ? pool.run(dying, { task, starts, deaths, fatalTask })
        : pool.run(module, task),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
  const meter = new ProgressMeter(1000, undefined);
  const runner = await decimalEngine.load(plan);
  const run = runner({ facts, budget, plan, pool: lossy, signal: controller.signal, meter, own: () => undefined });
  const outcome = await run.then(({ chunks }) => digestOf(chunks())).catch((error: unknown) => error);
  return { outcome, starts: new Int32Array(starts)[0]! };
}

describe('a run of the decimal engine', () => {
  test('stops within 200 ms of an abort at any moment, and leaves no thread', async () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    const stopMs: number[] = [];
    for (let round = 0; round < 9; round++) {
      const controller = new AbortController();
      const reason = new Error(`round ${round}`);
      let abortedMs = 0;
      setTimeout(() => {
        abortedMs = performance.now();
        controller.abort(reason);
      }, 1000 * random());
      const run = async () => {
        const result = await computeFactorial(long, { budget, idleThreadsMs, signal: controller.signal });
        for await (const chunk of result.digits()) chunk.fill(0);
        while (!controller.signal.aborted) await sleep(5);
        throw reason;
      };
      await expect(run(), `seed ${seed}, round ${round}`).rejects.toBe(reason);
      stopMs.push(performance.now() - abortedMs);
    }
    // The median: on a busy machine a single run may have to wait for a core.
    expect(stopMs.toSorted((a, b) => a - b)[4], `seed ${seed}: ${stopMs}`).toBeLessThan(abortLimitMs);
  });

  test('reports progress that grows from the sieve to the last digit', async () => {
    const events: Progress[] = [];
    const result = await computeFactorial(1_000_000, {
      budget,
      idleThreadsMs,
      onProgress: (progress) => events.push(progress),
    });
    for await (const chunk of result.digits()) chunk.fill(0);
    expect(events.length).toBeGreaterThan(3);
    for (const [index, event] of events.entries())
      expect(event.done).toBeGreaterThanOrEqual(events[index - 1]?.done ?? 0);
    expect(events[0]!.phase).toBe('sieve');
    expect(events.at(-1)).toEqual({
      phase: 'emit',
      remainingSeconds: 0,
      done: events[0]!.total,
      total: events[0]!.total,
    });
  });

  test('that nobody reads leaves no thread behind, disposed or aborted while these wait with text for a reader', async () => {
    for (const waitMs of [0, 50]) {
      const controller = new AbortController();
      const options = { budget, idleThreadsMs, signal: controller.signal };
      const disposed = await computeFactorial(2_000_000, options);
      await sleep(waitMs);
      await disposed[Symbol.asyncDispose]();
      expect(threadIds()).toEqual([]);
      await expect(disposed.digits()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ name: 'AbortError' });
      const aborted = await computeFactorial(2_000_000, options);
      await sleep(waitMs);
      const reason = new Error('enough');
      controller.abort(reason);
      await expect(aborted.digits()[Symbol.asyncIterator]().next()).rejects.toBe(reason);
      await expect(aborted.sha256).rejects.toBe(reason);
      expect(threadIds()).toEqual([]);
    }
  });

  test('whose thread dies in the middle of any task begins again and gives the same digits', async () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    for (let round = 0; round < 6; round++) {
      // Segments are the first 30 tasks or so, the chain ends a few hundred later.
      const fatalTask = round === 0 ? 0 : Math.floor(random() ** 2 * 250);
      const { outcome, starts } = await runWithDeaths(1, fatalTask);
      expect(outcome, `seed ${seed}, round ${round}, dead after task ${fatalTask}`).toEqual(await digestAlone());
      // The one that died and the repetition; only one when the run ended before. (The one in its place that stops the run does not get so far.)
      expect(round === 0 ? [2] : [1, 2]).toContain(starts);
    }
  });

  test('whose thread dies twice in the middle of a task fails with a KernelError and hangs nowhere', async () => {
    const { outcome, starts } = await runWithDeaths(9, 5);
    expect(outcome).toBeInstanceOf(KernelError);
    expect((outcome as Error).message).toMatch(/lost in the middle of 300000!, 2 times over/);
    expect(starts).toBe(2);
  });

  test('twice at once on one machine disturbs neither', async () => {
    const digests = await Promise.all(
      [200_000, 200_000].map(async (n) => {
        const result = await computeFactorial(n, { budget: { ...budget, blockingSeconds: 0 }, idleThreadsMs });
        for await (const chunk of result.digits()) chunk.fill(0);
        return result.sha256;
      }),
    );
    expect(digests[0]).toBe(digests[1]);
  });
});
