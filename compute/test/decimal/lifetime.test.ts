import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { decimalEngine } from '../../src/engine/decimal/engine.ts';
import type { ProductTask } from '../../src/engine/decimal/product-task.ts';
import { computeFactorial, defaultBudget, KernelError, type Progress } from '../../src/index.ts';
import { factorialFacts, planFactorial } from '../../src/plan/plan-factorial.ts';
import { startTaskPool } from '../../src/pool/start-task-pool.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import { ProgressMeter } from '../../src/progress-meter.ts';
import { seededRandom } from './random.ts';

/** Takes about half a second on two threads. */
const long = 5_000_000;
const budget = defaultBudget({ threads: 2, engine: 'decimal' });
const abortLimitMs = 200;

function workerThreads(): number {
  Object.assign(process.report, { excludeNetwork: true });
  return (process.report.getReport() as unknown as { workers: unknown[] }).workers.length;
}

afterEach(() => expect(workerThreads()).toBe(0));

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
        const result = await computeFactorial(long, { budget, signal: controller.signal });
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
    const result = await computeFactorial(1_000_000, { budget, onProgress: (progress) => events.push(progress) });
    for await (const chunk of result.digits()) chunk.fill(0);
    expect(events.length).toBeGreaterThan(3);
    for (const [index, event] of events.entries())
      expect(event.done).toBeGreaterThanOrEqual(events[index - 1]?.done ?? 0);
    expect(events[0]!.phase).toBe('sieve');
    expect(events.at(-1)).toEqual({ phase: 'emit', done: events[0]!.total, total: events[0]!.total });
  });

  test('whose thread dies fails with a KernelError and does not wait for it', async () => {
    const controller = new AbortController();
    const facts = factorialFacts(300_000n);
    const plan = planFactorial(facts.n, budget);
    const pool = await startTaskPool({ threads: 2, signal: controller.signal });
    const death = { starts: new SharedArrayBuffer(4), deaths: 9 };
    const dying = new URL('../fixtures/dying-task.mjs', import.meta.url);
    // The second thread's part is done by one that exits; the first waits for it at the first meeting.
    const lossy: TaskPool = {
      concurrency: 2,
      run: (module, task) =>
        (task as ProductTask).threadIndex === 1 ? pool.run(dying, death) : pool.run(module, task),
      [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
    };
    const meter = new ProgressMeter(1000, undefined);
    const runner = await decimalEngine.load(plan);
    const run = runner({ facts, budget, plan, pool: lossy, signal: controller.signal, meter, own: () => undefined });
    await expect(run).rejects.toBeInstanceOf(KernelError);
    await pool[Symbol.asyncDispose]();
  });

  test('twice at once on one machine disturbs neither', async () => {
    const digests = await Promise.all(
      [200_000, 200_000].map(async (n) => {
        const result = await computeFactorial(n, { budget });
        for await (const chunk of result.digits()) chunk.fill(0);
        return result.sha256;
      }),
    );
    expect(digests[0]).toBe(digests[1]);
  });
});
