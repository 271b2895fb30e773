import { createLocalWorkflowEngine, type Execution, TransientError, type WorkflowEngine } from '@factorial/backing';
import { SharedBudget } from '@factorial/compute';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inProcessTaskHandlers } from '../src/in-process-handlers.ts';
import { localTaskSizes } from '../src/plan/local-task-sizes.ts';
import { loadStateMachine } from '../src/state-machine.ts';
import type { TaskOptions } from '../src/task-options.ts';
import type { TaskServices } from '../src/task-services.ts';
import {
  ask,
  checksums,
  keysOf,
  makeDirectory,
  openStores,
  removeDirectory,
  type TestStores,
  testBudget,
  testTaskOptions,
  until,
  withFault,
} from './services.ts';

let stores: TestStores;
const engines: WorkflowEngine[] = [];

beforeEach(async () => {
  stores = await openStores(await makeDirectory());
});
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
  await stores[Symbol.asyncDispose]();
  await removeDirectory(stores.directory);
});

async function engineWith(
  changes: Partial<TaskOptions> = {},
  services: TaskServices = stores,
): Promise<WorkflowEngine> {
  const handlers = inProcessTaskHandlers(services, testTaskOptions(changes));
  const engine = createLocalWorkflowEngine({ definition: await loadStateMachine(), handlers, maxConcurrent: 4 });
  engines.push(engine);
  return engine;
}

async function ended(engine: WorkflowEngine, name: string): Promise<Execution> {
  await until(async () => ((await engine.describe(name)) ?? { status: 'RUNNING' }).status !== 'RUNNING', 60_000);
  return (await engine.describe(name))!;
}

const run = async (engine: WorkflowEngine, n: bigint, name = `f-${n}`, attempt = 1): Promise<Execution> => {
  await engine.start(name, { number: n.toString(), attempt });
  return await ended(engine, name);
};

/** Every size in one class only. */
const onlyContainers = localTaskSizes(testBudget).filter((size) => size.class === 'fargate');

describe('an execution of the definition, in this process', () => {
  it.each([
    ['a function', {}],
    ['a container', { sizes: onlyContainers }],
  ])('publishes verified digits, calculated and verified by %s', async (_where, changes) => {
    await ask(stores.metadata, 20_000n);
    const engine = await engineWith(changes);
    expect(await run(engine, 20_000n)).toMatchObject({
      status: 'SUCCEEDED',
      output: { published: { size: '77338', checksum: checksums[20000] } },
    });
    const row = await stores.metadata.find(20_000n);
    expect(row).toMatchObject({
      status: 'done',
      size: 77_338n,
      checksum: checksums[20000],
      fence: 1n,
      leaseOwner: null,
    });
    expect(await keysOf(stores.objects)).toEqual([row?.objectKey]);
    expect((await stores.metadata.coordination()).maxFactorial).toBe(20_000n);
  });

  it('waits under its claim for the memory that its process shares, and says so on the row', async () => {
    const memoryBytes = testBudget.memoryBytes;
    const sharedBudget = new SharedBudget({ memoryBytes, scratchBytes: 0 });
    const held = await sharedBudget.acquire({ memoryBytes, scratchBytes: 0 }, new AbortController().signal, () => {
      throw new Error('it was to fit');
    });
    await ask(stores.metadata, 20_000n);
    // Were the lease not renewed, it would run out while waiting.
    const engine = await engineWith({ sizes: onlyContainers, support: { sharedBudget }, leaseMs: 300 });
    await engine.start('f-20000', { number: '20000', attempt: 1 });
    const waiting = { phase: 'waiting', reason: expect.stringMatching(/^needs .* MiB of memory/) };
    await until(async () => (await stores.metadata.find(20_000n))?.progress?.phase === 'waiting');
    await new Promise((next) => setTimeout(next, 600));
    expect(await stores.metadata.find(20_000n)).toMatchObject({ fence: 1n, progress: waiting });
    await held[Symbol.asyncDispose]();
    expect(await ended(engine, 'f-20000')).toMatchObject({ status: 'SUCCEEDED' });
    expect(await stores.metadata.find(20_000n)).toMatchObject({ status: 'done', fence: 1n, interruptions: 0 });
    expect(sharedBudget.taken).toEqual({ memoryBytes: 0, scratchBytes: 0 });
  });

  it('does nothing for a row that is done, gone, held by somebody else or requested anew', async () => {
    await ask(stores.metadata, 1000n);
    const engine = await engineWith();
    await run(engine, 1000n, 'first');
    expect(await run(engine, 1000n, 'again')).toMatchObject({
      status: 'SUCCEEDED',
      output: { task: { class: 'none' } },
    });
    expect(await run(engine, 77n, 'gone')).toMatchObject({ output: { task: { class: 'none' } } });
    await ask(stores.metadata, 30n);
    await stores.metadata.claim(30n, 'somebody', { leaseMs: 60_000, maxInterruptions: 5 });
    expect(await run(engine, 30n, 'held')).toMatchObject({ output: { task: { class: 'none' } } });
    await ask(stores.metadata, 31n);
    expect(await run(engine, 31n, 'older', 2)).toMatchObject({ output: { task: { class: 'none' } } });
    expect((await stores.metadata.find(31n))?.leaseOwner).toBeNull();
  });

  it('fails what fits no machine for good, with the reason in the row', async () => {
    await ask(stores.metadata, 50_000_000_000n);
    const engine = await engineWith();
    expect(await run(engine, 50_000_000_000n)).toMatchObject({
      status: 'FAILED',
      error: { name: 'CalculationFailed' },
    });
    const row = await stores.metadata.find(50_000_000_000n);
    expect(row).toMatchObject({ status: 'failed', failures: 1, error: { code: 'plan-capacity' } });
    expect(row?.error?.message).toMatch(/largest n that fits/);
  });

  it('retries a burst of passing faults of the object store within the execution', async () => {
    let faults = 2;
    const objects = withFault(stores.objects, {
      sink: (key) => {
        if (key.endsWith('.txt') && faults-- > 0) throw new TransientError('503 Slow Down');
        return stores.objects.sink(key);
      },
    });
    await ask(stores.metadata, 1000n);
    const engine = await engineWith({}, { ...stores, objects });
    expect(await run(engine, 1000n)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await stores.metadata.find(1000n)).toMatchObject({ status: 'done', failures: 0, checksum: checksums[1000] });
  });

  it('leaves the row to the next execution when a container fails, and fails it after the last try', async () => {
    const objects = withFault(stores.objects, {
      sink: (key) => {
        if (key.endsWith('.txt')) throw new TransientError('503 Slow Down');
        return stores.objects.sink(key);
      },
    });
    await ask(stores.metadata, 1000n);
    const engine = await engineWith({ sizes: onlyContainers }, { ...stores, objects });
    expect(await run(engine, 1000n, 'try-1')).toMatchObject({ status: 'FAILED', error: { name: 'TryFailed' } });
    expect(await stores.metadata.find(1000n)).toMatchObject({
      status: 'calculating',
      failures: 1,
      leaseOwner: null,
      error: { code: 'transient', message: '503 Slow Down' },
    });
    expect(await run(engine, 1000n, 'try-2')).toMatchObject({ status: 'FAILED', error: { name: 'CalculationFailed' } });
    expect(await stores.metadata.find(1000n)).toMatchObject({ status: 'failed', failures: 2 });
    expect(await keysOf(stores.objects)).toEqual([]);
  });

  it('never publishes an object that was damaged in the store', async () => {
    const objects = withFault(stores.objects, {
      checksum: async (key) => ({ ...(await stores.objects.checksum(key)), sha256: '0'.repeat(64) }),
    });
    await ask(stores.metadata, 1000n);
    const engine = await engineWith({}, { ...stores, objects });
    expect(await run(engine, 1000n)).toMatchObject({ status: 'FAILED' });
    expect(await stores.metadata.find(1000n)).toMatchObject({
      status: 'calculating',
      checksum: null,
      error: { code: 'corrupt-object' },
    });
    expect(await keysOf(stores.objects)).toEqual([]);
  });

  it('ends as superseded, publishing nothing, when somebody else takes the row meanwhile', async () => {
    const objects = withFault(stores.objects, {
      sink: (key) => ({
        write: async (source) => {
          const receipt = await stores.objects.sink(key).write(source);
          if (!key.endsWith('.stored.json')) return receipt;
          // The worst moment: everything is written, nothing published. All leases end, another claims.
          await stores.metadata.releaseAllLeases();
          await stores.metadata.claim(1000n, 'another', { leaseMs: 60_000, maxInterruptions: 5 });
          return receipt;
        },
      }),
    });
    await ask(stores.metadata, 1000n);
    const engine = await engineWith({}, { ...stores, objects });
    const execution = await run(engine, 1000n);
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: { ending: { outcome: 'superseded' } } });
    expect(await stores.metadata.find(1000n)).toMatchObject({
      status: 'calculating',
      leaseOwner: 'another',
      failures: 0,
      checksum: null,
    });
    // What was written under the old claim's key is named by no row: the sweep of the objects finds it.
    for (const key of await keysOf(stores.objects)) expect(await stores.metadata.isObjectKeyLive(key)).toBe(false);
  });

  it('gives the row back when the execution is stopped, and fails nothing', async () => {
    await ask(stores.metadata, 1_000_000n);
    const engine = await engineWith();
    await engine.start('stopped', { number: '1000000', attempt: 1 });
    await until(async () => ((await stores.metadata.find(1_000_000n))?.progress?.done ?? 0) > 0);
    await engine.stop('stopped', 'on request');
    expect(await ended(engine, 'stopped')).toMatchObject({ status: 'ABORTED', error: { cause: 'on request' } });
    await until(async () => (await stores.metadata.find(1_000_000n))?.leaseOwner === null);
    expect(await stores.metadata.find(1_000_000n)).toMatchObject({
      status: 'calculating',
      failures: 0,
      interruptions: 0,
    });
    expect(await keysOf(stores.objects)).toEqual([]);
  });

  it('ends by itself when the row is cancelled while it calculates', async () => {
    await ask(stores.metadata, 1_000_000n);
    const engine = await engineWith();
    await engine.start('cancelled', { number: '1000000', attempt: 1 });
    await until(async () => ((await stores.metadata.find(1_000_000n))?.progress?.done ?? 0) > 0);
    await stores.metadata.cancel(1_000_000n);
    expect(await ended(engine, 'cancelled')).toMatchObject({ status: 'FAILED', error: { name: 'CalculationFailed' } });
    expect(await stores.metadata.find(1_000_000n)).toMatchObject({ status: 'failed', error: { code: 'cancelled' } });
    expect(await keysOf(stores.objects)).toEqual([]);
  });
});
