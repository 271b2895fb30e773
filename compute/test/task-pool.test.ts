import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { KernelError } from '../src/errors.ts';
import { startTaskPool } from '../src/pool/start-task-pool.ts';

const fixture = (name: string): URL => new URL(`fixtures/${name}`, import.meta.url);
const endless = () => new AbortController().signal;

test('a task whose thread dies is run once more on another thread', async () => {
  await using pool = await startTaskPool({ threads: 1, signal: endless() });
  const starts = new SharedArrayBuffer(4);
  await expect(pool.run(fixture('dying-task.mjs'), { starts, deaths: 1 })).resolves.toBe(1);
});

test('a task that loses its thread twice fails with a KernelError, and the pool still works', async () => {
  await using pool = await startTaskPool({ threads: 2, signal: endless() });
  const starts = new SharedArrayBuffer(4);
  const lost = pool.run(fixture('dying-task.mjs'), { starts, deaths: 1000 });
  await expect(lost).rejects.toBeInstanceOf(KernelError);
  expect(new Int32Array(starts)[0]).toBe(2);
  await expect(pool.run(fixture('dying-task.mjs'), { starts, deaths: 0 })).resolves.toBe(2);
});

test.each([0, 1])('a task that fails rejects with its own words and is not repeated (%i threads)', async (threads) => {
  await using pool = await startTaskPool({ threads, signal: endless() });
  await expect(pool.run(fixture('failing-task.mjs'), {})).rejects.toThrow('this sum does not add up');
});

test.each([0, 1])('a module that is not there is a KernelError (%i threads)', async (threads) => {
  await using pool = await startTaskPool({ threads, signal: endless() });
  await expect(pool.run(fixture('no-such-task.mjs'), {})).rejects.toBeInstanceOf(KernelError);
});

test('an abort stops busy and waiting tasks within 200 ms, and later ones are refused', async () => {
  const controller = new AbortController();
  await using pool = await startTaskPool({ threads: 1, signal: controller.signal });
  const tasks = [1, 2, 3].map(() => pool.run(fixture('endless-task.mjs'), {}));
  const settled = Promise.allSettled(tasks);
  await sleep(200);
  const reason = new Error('stop');
  const startMs = performance.now();
  controller.abort(reason);
  for (const outcome of await settled) expect(outcome).toEqual({ status: 'rejected', reason });
  await pool[Symbol.asyncDispose]();
  expect(performance.now() - startMs).toBeLessThan(200);
  await expect(pool.run(fixture('failing-task.mjs'), {})).rejects.toBe(reason);
});

test('more waiting tasks than the bound are refused', async () => {
  await using pool = await startTaskPool({ threads: 1, signal: endless(), maxQueuedTasks: 1 });
  const tasks = [1, 2, 3, 4].map(() => pool.run(fixture('endless-task.mjs'), {}));
  const refused = await Promise.any(
    tasks.map((task) =>
      task.then(
        () => undefined,
        (error: unknown) => error,
      ),
    ),
  );
  expect(refused).toBeInstanceOf(KernelError);
});

test('disposing a pool ends tasks that are under way', async () => {
  const pool = await startTaskPool({ threads: 1, signal: endless() });
  const task = pool.run(fixture('endless-task.mjs'), {});
  const outcome = expect(task).rejects.toBeInstanceOf(KernelError);
  await sleep(50);
  await pool[Symbol.asyncDispose]();
  await outcome;
});
