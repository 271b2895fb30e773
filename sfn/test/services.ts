import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createFilesystemObjectStore,
  createSqliteMetadataStore,
  type MetadataStore,
  type ObjectStore,
} from '@factorial/backing';
import { defaultBudget, digitCountOfFactorial, trailingZeroCount } from '@factorial/compute';
import { localTaskSizes } from '../src/plan/local-task-sizes.ts';
import type { TaskOptions } from '../src/task-options.ts';

/** Published SHA-256 of the digits of n!. */
export const checksums = {
  1000: 'cc336cf135d690c1105664b3b859db66b940db51cd66cf891fee120584cf7873',
  20000: 'eaae0cdb4ba46ca603da90766b63f69dd6cbd25340725ce15ba373d99aea5cf6',
} as const;

/** Real embedded stores in a folder of their own. */
export interface TestStores extends AsyncDisposable {
  readonly directory: string;
  readonly metadata: MetadataStore;
  readonly objects: ObjectStore;
}

export async function makeDirectory(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'factorial-sfn-'));
}

export async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

export async function openStores(directory: string): Promise<TestStores> {
  const metadata = createSqliteMetadataStore({ directory });
  await metadata.migrate();
  const objects = createFilesystemObjectStore({ directory });
  const dispose = async (): Promise<void> => {
    await objects.close();
    await metadata.close();
  };
  return { directory, metadata, objects, [Symbol.asyncDispose]: dispose };
}

/** Insert the row of n as the API does. */
export async function ask(metadata: MetadataStore, n: bigint): Promise<void> {
  const facts = { digits: digitCountOfFactorial(n), trailingZeros: trailingZeroCount(n) };
  await metadata.request({ n, ...facts, client: 'test' });
}

export const testBudget = defaultBudget({ threads: 2, memoryBytes: 1 << 30, engine: 'gmp' });

export function testTaskOptions(changes: Partial<TaskOptions> = {}): TaskOptions {
  return {
    leaseMs: 2_000,
    heartbeatMs: 50,
    handoffLeaseMs: 10_000,
    maxInterruptions: 5,
    maxFailures: 2,
    verifyReadbackMaxBytes: 1n << 30n,
    sizes: localTaskSizes(testBudget),
    ...changes,
  };
}

/** The same object with some methods replaced: a fault injected in front of the real thing. */
export function withFault<T extends object>(target: T, faults: Partial<T>): T {
  return new Proxy(target, {
    get(real, name) {
      const fault = faults[name as keyof T];
      if (fault !== undefined) return fault;
      const member = Reflect.get(real, name, real) as unknown;
      return typeof member === 'function' ? member.bind(real) : member;
    },
  });
}

export async function keysOf(objects: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of objects.list()) keys.push(key);
  return keys.sort();
}

/** Wait until the condition holds; rejects after the time. */
export async function until(condition: () => Promise<boolean>, maxMs = 20_000): Promise<void> {
  const deadline = Date.now() + maxMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`the condition did not come true within ${maxMs} ms`);
    await new Promise((next) => setTimeout(next, 10));
  }
}
