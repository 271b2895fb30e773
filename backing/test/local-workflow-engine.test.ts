import { InputError } from '@factorial/compute';
import { describe, expect, test } from 'vitest';
import { CapacityError, TransientError } from '../src/contracts/errors.ts';
import { createLocalWorkflowEngine } from '../src/workflow/local-workflow-engine.ts';
import type { TaskHandler } from '../src/workflow/task-handlers.ts';
import { describeWorkflowEngineContract, ended, oneTask } from './contracts/workflow-engine.contract.ts';

describeWorkflowEngineContract('the local workflow engine', async (definition, handlers) => {
  const engine = createLocalWorkflowEngine({ definition, handlers });
  return { engine, dispose: () => engine.close() };
});

/** A handler that works until it is told to stop. */
const untilAborted: TaskHandler = (_input, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

describe('the local workflow engine', () => {
  test('runs at most maxConcurrent executions at once, the others in the order they came', async () => {
    let running = 0;
    let most = 0;
    const order: unknown[] = [];
    const work: TaskHandler = async (input) => {
      order.push(input);
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return null;
    };
    const engine = createLocalWorkflowEngine({ definition: oneTask, handlers: { work }, maxConcurrent: 2 });
    for (let i = 0; i < 10; i++) await engine.start(`e-${i}`, i);
    for (let i = 0; i < 10; i++) expect((await ended(engine, `e-${i}`)).status).toBe('SUCCEEDED');
    expect(most).toBe(2);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await engine.close();
  });

  test('refuses more waiting executions than allowed, and stops a waiting one before it ran', async () => {
    const engine = createLocalWorkflowEngine({
      definition: oneTask,
      handlers: { work: untilAborted },
      maxConcurrent: 1,
      maxWaiting: 2,
    });
    for (const name of ['a', 'b', 'c']) await engine.start(name, {});
    await expect(engine.start('d', {})).rejects.toThrow(CapacityError);
    await engine.start('b', {});
    await engine.stop('b', 'not needed');
    expect(await engine.describe('b')).toMatchObject({ status: 'ABORTED', error: { cause: 'not needed' } });
    await engine.start('d', {});
    await engine.close();
    for (const name of ['a', 'c', 'd']) expect((await engine.describe(name))?.status).toBe('ABORTED');
    await expect(engine.start('e', {})).rejects.toThrow(TransientError);
    await expect(engine.ping()).rejects.toThrow(TransientError);
  });

  test('remembers only the latest finished executions', async () => {
    const engine = createLocalWorkflowEngine({
      definition: oneTask,
      handlers: { work: async () => 1 },
      maxHistory: 2,
    });
    for (const name of ['a', 'b', 'c']) {
      await engine.start(name, {});
      await ended(engine, name);
    }
    expect(await engine.describe('a')).toBeUndefined();
    expect(await engine.describe('b')).toBeDefined();
    await engine.close();
  });

  test('an execution that takes longer than its definition allows is timed out and its task told to stop', async () => {
    let told = false;
    const work: TaskHandler = async (input, context) => {
      await untilAborted(input, context).catch(() => {
        told = true;
      });
      return null;
    };
    const engine = createLocalWorkflowEngine({ definition: { ...oneTask, TimeoutSeconds: 1 }, handlers: { work } });
    await engine.start('slow', {});
    expect((await ended(engine, 'slow')).status).toBe('TIMED_OUT');
    await engine.close();
    expect(told).toBe(true);
  });

  test('an execution stopped in the moment of its start never runs its task', async () => {
    let calls = 0;
    const work: TaskHandler = async () => {
      calls += 1;
    };
    const engine = createLocalWorkflowEngine({ definition: oneTask, handlers: { work } });
    await engine.start('warm', {});
    await ended(engine, 'warm');
    const starting = engine.start('stopped', {});
    while (!(await engine.describe('stopped'))) await Promise.resolve();
    await engine.stop('stopped', 'at once');
    await starting;
    expect(await engine.describe('stopped')).toMatchObject({ status: 'ABORTED' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(1);
    await engine.close();
  });

  test('a handler that ignores the abort does not hold up closing for longer than closeMs', async () => {
    const work: TaskHandler = () => new Promise(() => {});
    const engine = createLocalWorkflowEngine({ definition: oneTask, handlers: { work }, closeMs: 50 });
    await engine.start('deaf', {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = performance.now();
    await engine.close();
    expect(performance.now() - before).toBeLessThan(3_000);
  });

  test('a handler that throws something other than an error, at once, fails its execution alone', async () => {
    const work: TaskHandler = (input) => {
      if (input === 'bad') throw undefined;
      return Promise.resolve('good');
    };
    const engine = createLocalWorkflowEngine({ definition: oneTask, handlers: { work }, maxConcurrent: 1 });
    await engine.start('bad', 'bad');
    await engine.start('good', 'good');
    expect((await ended(engine, 'bad')).status).toBe('FAILED');
    expect((await ended(engine, 'good')).output).toBe('good');
    await engine.close();
  });

  test('a task without handler is refused when the engine is made, a wrong definition at the first start', async () => {
    expect(() => createLocalWorkflowEngine({ definition: oneTask, handlers: {} })).toThrow(/state Work.*"work"/);
    const definition = { StartAt: 'Nowhere', States: oneTask.States };
    const engine = createLocalWorkflowEngine({ definition, handlers: { work: async () => 1 } });
    await expect(engine.start('a', {})).rejects.toThrow(InputError);
    await engine.close();
  });
});
