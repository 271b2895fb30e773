import { InputError } from '@factorial/compute';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TransientError } from '../../src/contracts/errors.ts';
import type { TaskHandler, WorkflowDefinition } from '../../src/workflow/task-handlers.ts';
import type { Execution, WorkflowEngine } from '../../src/workflow/workflow-engine.ts';

export interface WorkflowEngineUnderTest {
  readonly engine: WorkflowEngine;
  dispose(): Promise<void>;
}

export type MakeWorkflowEngine = (
  definition: WorkflowDefinition,
  handlers: Readonly<Record<string, TaskHandler>>,
) => Promise<WorkflowEngineUnderTest>;

/** One task state that calls the handler `work`. */
export const oneTask: WorkflowDefinition = {
  StartAt: 'Work',
  States: { Work: { Type: 'Task', Resource: 'work', End: true } },
};

/** Plan → Choice → Map over parts, with Retry, Catch and a nested task. */
const branching: WorkflowDefinition = {
  StartAt: 'Plan',
  States: {
    Plan: { Type: 'Task', Resource: 'plan', ResultPath: '$.plan', Next: 'Fits' },
    Fits: {
      Type: 'Choice',
      Choices: [{ Variable: '$.plan.fits', BooleanEquals: true, Next: 'Compute' }],
      Default: 'TooLarge',
    },
    Compute: {
      Type: 'Map',
      ItemsPath: '$.plan.parts',
      MaxConcurrency: 2,
      ItemProcessor: {
        StartAt: 'Part',
        States: {
          Part: {
            Type: 'Task',
            Resource: 'part',
            Retry: [{ ErrorEquals: ['TransientError'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 }],
            End: true,
          },
        },
      },
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'MarkFailed' }],
      End: true,
    },
    TooLarge: { Type: 'Fail', Error: 'PlanCapacityError', Cause: 'it does not fit' },
    MarkFailed: { Type: 'Task', Resource: 'markFailed', End: true },
  },
};

export function describeWorkflowEngineContract(name: string, makeEngine: MakeWorkflowEngine): void {
  describe(`${name} keeps the workflow engine contract`, () => {
    const open: WorkflowEngineUnderTest[] = [];
    const calls: string[] = [];

    beforeEach(() => {
      calls.length = 0;
    });

    afterEach(async () => {
      for (const subject of open.splice(0)) await subject.dispose();
    });

    const make = async (
      definition: WorkflowDefinition,
      handlers: Readonly<Record<string, TaskHandler>>,
    ): Promise<WorkflowEngine> => {
      const subject = await makeEngine(definition, handlers);
      open.push(subject);
      return subject.engine;
    };

    test('an execution runs its task with the input and shows the output', async () => {
      const engine = await make(oneTask, { work: async (input) => ({ got: input }) });
      await engine.ping();
      expect(await engine.describe('f-20-1')).toBeUndefined();
      await engine.start('f-20-1', { number: '20' });
      const execution = await ended(engine, 'f-20-1');
      expect(execution).toEqual({ name: 'f-20-1', status: 'SUCCEEDED', output: { got: { number: '20' } } });
    });

    test('starting a name again, while it runs and after it ended, is a no-op', async () => {
      const gate = Promise.withResolvers<void>();
      const engine = await make(oneTask, {
        work: async () => {
          calls.push('work');
          await gate.promise;
          return 'first';
        },
      });
      await Promise.all(Array.from({ length: 20 }, () => engine.start('same', { number: '20' })));
      expect(await engine.describe('same')).toEqual({ name: 'same', status: 'RUNNING' });
      gate.resolve();
      await ended(engine, 'same');
      await engine.start('same', { number: '20' });
      expect((await engine.describe('same'))?.output).toBe('first');
      expect(calls).toEqual(['work']);
    });

    test('a failed task fails the execution with the name and message of its error', async () => {
      const engine = await make(oneTask, {
        work: async () => {
          throw new TypeError('expected a number');
        },
      });
      await engine.start('fails', {});
      const execution = await ended(engine, 'fails');
      expect(execution).toMatchObject({ status: 'FAILED', error: { name: 'TypeError', cause: 'expected a number' } });
    });

    test('choices, maps with nested tasks and retries by error name run as the definition says', async () => {
      let faults = 1;
      const engine = await make(branching, {
        plan: async () => ({ fits: true, parts: [1, 2, 3] }),
        part: async (input) => {
          if (input === 2 && faults-- > 0) throw new TransientError('try again');
          return Number(input) * 10;
        },
        markFailed: async () => 'unused',
      });
      await engine.start('maps', { number: '20' });
      expect(await ended(engine, 'maps')).toMatchObject({ status: 'SUCCEEDED', output: [10, 20, 30] });
    });

    test('a fail state ends the execution with its error and cause', async () => {
      const engine = await make(branching, {
        plan: async () => ({ fits: false }),
        part: async () => 0,
        markFailed: async () => 0,
      });
      await engine.start('too-large', {});
      const execution = await ended(engine, 'too-large');
      expect(execution).toMatchObject({
        status: 'FAILED',
        error: { name: 'PlanCapacityError', cause: 'it does not fit' },
      });
    });

    test('a caught error reaches the state that handles it', async () => {
      const engine = await make(branching, {
        plan: async () => ({ fits: true, parts: [1] }),
        part: async () => {
          throw new RangeError('broken');
        },
        markFailed: async (input) => (input as { error: { Error: string } }).error.Error,
      });
      await engine.start('caught', {});
      expect(await ended(engine, 'caught')).toMatchObject({ status: 'SUCCEEDED', output: 'RangeError' });
    });

    test('stopping aborts the running task and marks the execution; a finished or unknown one is left alone', async () => {
      const started = Promise.withResolvers<void>();
      const aborted = Promise.withResolvers<unknown>();
      const engine = await make(oneTask, {
        work: (_input, { signal, executionName }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted.resolve(executionName);
              reject(signal.reason);
            });
            started.resolve();
          }),
      });
      await engine.start('stopped', {});
      await started.promise;
      await engine.stop('stopped', 'cancelled on request');
      expect(await aborted.promise).toBe('stopped');
      const execution = await ended(engine, 'stopped');
      expect(execution).toMatchObject({ status: 'ABORTED', error: { cause: 'cancelled on request' } });
      await engine.stop('stopped', 'again');
      await engine.stop('unknown', 'again');
      expect((await engine.describe('stopped'))?.error?.cause).toBe('cancelled on request');
    });

    test.each(['', 'a b', 'a/b', 'x'.repeat(81), 'ä'])('the execution name %j is refused', async (bad) => {
      const engine = await make(oneTask, { work: async () => 1 });
      await expect(engine.start(bad, {})).rejects.toThrow(InputError);
    });

    test('an input that Step Functions could not carry, or JSON not hold, is refused', async () => {
      const engine = await make(oneTask, { work: async () => 1 });
      await expect(engine.start('large', { text: 'x'.repeat(262_144) })).rejects.toThrow(InputError);
      await expect(engine.start('bigint', { number: 20n })).rejects.toThrow(InputError);
    });
  });
}

export async function ended(engine: WorkflowEngine, name: string): Promise<Execution> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const execution = await engine.describe(name);
    if (execution && execution.status !== 'RUNNING') return execution;
    if (performance.now() > deadline) throw new Error(`expected ${name} to end within 20 s, got a timeout`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
