import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CalculationQueue,
  createFilesystemObjectStore,
  createLocalWorkflowEngine,
  createMemoryCalculationQueue,
  createMemoryDigitCache,
  createSqliteMetadataStore,
  type MetadataStore,
  type ObjectStore,
} from '@factorial/backing';
import { defaultBudget, digitCountOfFactorial, SharedBudget, trailingZeroCount } from '@factorial/compute';
import type { WorkerLog, WorkerOptions, WorkerServices } from '../src/options.ts';

/** Real embedded services in a folder of their own. */
export interface TestServices extends WorkerServices, AsyncDisposable {
  readonly directory: string;
  /** Insert the row of n as the API does. */
  readonly ask: (n: bigint) => Promise<void>;
  /** Names of the started workflow executions. */
  readonly executions: string[];
}

export async function openTestServices(): Promise<TestServices> {
  const directory = await mkdtemp(join(tmpdir(), 'factorial-worker-'));
  const metadata = await createSqliteMetadataStore({ directory });
  await metadata.migrate();
  const objects = createFilesystemObjectStore({ directory: join(directory, 'objects') });
  const cache = createMemoryDigitCache({ maxBytes: 1 << 20, maxValueBytes: 1 << 16 });
  const queue = createMemoryCalculationQueue({ retryDelayMs: 10 });
  const executions: string[] = [];
  const workflow = createLocalWorkflowEngine({
    definition: { StartAt: 'Note', States: { Note: { Type: 'Task', Resource: 'note', End: true } } },
    handlers: {
      note: async (input) => {
        executions.push(JSON.stringify(input));
        return {};
      },
    },
  });
  const ask = async (n: bigint): Promise<void> => {
    await metadata.request({
      n,
      digits: digitCountOfFactorial(n),
      trailingZeros: trailingZeroCount(n),
      client: 'test',
    });
  };
  const close = async (): Promise<void> => {
    await queue.close(10_000);
    await workflow.close();
    await cache.close();
    await objects.close();
    await metadata.close();
    await rm(directory, { recursive: true, force: true });
  };
  const sharedBudget = new SharedBudget({ memoryBytes: 4 * 2 ** 30, scratchBytes: 2 ** 40, quickMemoryBytes: 2 ** 30 });
  const stores = { metadata, objects, cache, queue, workflow, sharedBudget, checkpoints: undefined };
  return { ...stores, directory, ask, executions, [Symbol.asyncDispose]: close };
}

const budget = defaultBudget({ threads: 2, memoryBytes: 1 << 30, engine: 'gmp' });

export function testOptions(changes: Partial<WorkerOptions> = {}): WorkerOptions {
  return {
    owner: 'worker-under-test',
    concurrency: { 'small.quick': 2, 'small.long': 1, large: 1 },
    budgets: { 'small.quick': budget, 'small.long': budget, large: budget },
    largeFrom: 1_000_000_000n,
    quickMaxSeconds: 2,
    ackAfterDoneMaxSeconds: 300,
    turnWaitMs: undefined,
    leaseMs: 2_000,
    heartbeatMs: 100,
    storedBytesPerSecond: 400e6,
    sweepIntervalMs: 50,
    sweepMaxRows: 100,
    unfinishedMaxAgeMs: 60_000,
    maxFailures: 3,
    maxInterruptions: 5,
    retryDelayMs: 5,
    verifyReadbackMaxBytes: 1n << 30n,
    ...changes,
  };
}

export const quiet: WorkerLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The same store with some methods replaced: a fault injected in front of the real thing. */
export function withFault<T extends MetadataStore | ObjectStore | CalculationQueue>(store: T, faults: Partial<T>): T {
  return new Proxy(store, {
    get(target, name) {
      const fault = faults[name as keyof T];
      if (fault !== undefined) return fault;
      const member = Reflect.get(target, name, target) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** Wait until the condition holds; rejects after `limitMs`. */
export async function until(condition: () => Promise<boolean>, limitMs = 30_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`the condition did not come true within ${limitMs} ms`);
    await new Promise((next) => setTimeout(next, 10));
  }
}
