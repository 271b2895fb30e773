import { createStepFunctionsWorkflowEngine, type Execution, type WorkflowEngine } from '@factorial/backing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { childProcessTaskHandlers } from '../src/child-process-handlers.ts';
import { type StepFunctionsEndpoint, startStepFunctionsEndpoint } from '../src/endpoint/step-functions-endpoint.ts';
import { loadStateMachine } from '../src/state-machine.ts';
import { ask, checksums, keysOf, makeDirectory, openStores, removeDirectory, until } from './services.ts';

interface Started {
  readonly pid: number;
  readonly command: readonly string[];
}

let directory: string;
let endpoint: StepFunctionsEndpoint;
let engine: WorkflowEngine;
let started: Started[];
let onStart: (task: Started) => void;

/** Small numbers run as functions, above this many estimated seconds as containers. */
beforeEach(async () => {
  directory = await makeDirectory();
  started = [];
  onStart = () => undefined;
  const environment = {
    PATH: process.env.PATH,
    DATA_DIR: directory,
    COMPUTE_MEMORY_BYTES: '1GiB',
    HEARTBEAT_SECONDS: '0.1',
    LEASE_SECONDS: '5',
    FAILURES_MAX: '2',
  };
  endpoint = await startStepFunctionsEndpoint({
    definition: await loadStateMachine(),
    handlers: childProcessTaskHandlers({
      environment,
      onStart: (task) => {
        started.push(task);
        onStart(task);
      },
    }),
  });
  engine = createStepFunctionsWorkflowEngine({
    stateMachineArn: endpoint.stateMachineArn,
    endpoint: endpoint.url,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
});
afterEach(async () => {
  await engine.close();
  await endpoint.close();
  await removeDirectory(directory);
});

async function request(n: bigint): Promise<void> {
  await using stores = await openStores(directory);
  await ask(stores.metadata, n);
}

async function ended(name: string): Promise<Execution> {
  await until(async () => ((await engine.describe(name)) ?? { status: 'RUNNING' }).status !== 'RUNNING', 90_000);
  return (await engine.describe(name))!;
}

const taskOf = ({ command }: Started): string => command.at(-1) ?? '';

describe('an execution over HTTP whose tasks are processes of their own', () => {
  it('publishes verified digits, one process a task', async () => {
    await request(20_000n);
    await engine.start('f-20000', { number: '20000', attempt: 1 });
    expect(await ended('f-20000')).toMatchObject({ status: 'SUCCEEDED' });
    expect(started.map(taskOf)).toEqual(['plan', 'calculate', 'verify', 'publish']);
    await using stores = await openStores(directory);
    const row = await stores.metadata.find(20_000n);
    expect(row).toMatchObject({ status: 'done', size: 77_338n, checksum: checksums[20000], failures: 0 });
    expect(await keysOf(stores.objects)).toEqual([row?.objectKey]);
  });

  it('calculates again, under the same claim, when the function is killed while it works', async () => {
    await request(4_000_000n);
    let kills = 1;
    onStart = (task) => {
      if (taskOf(task) !== 'calculate' || kills-- <= 0) return;
      setTimeout(() => process.kill(task.pid, 'SIGKILL'), 600);
    };
    await engine.start('killed', { number: '4000000', attempt: 1 });
    expect(await ended('killed')).toMatchObject({ status: 'SUCCEEDED' });
    expect(started.map(taskOf).filter((name) => name === 'calculate')).toHaveLength(2);
    await using stores = await openStores(directory);
    expect(await stores.metadata.find(4_000_000n)).toMatchObject({ status: 'done', fence: 1n, failures: 0 });
  });

  it('leaves the row to the next try when the function is killed each time', async () => {
    await request(4_000_000n);
    onStart = (task) => {
      if (taskOf(task) === 'calculate') setTimeout(() => process.kill(task.pid, 'SIGKILL'), 300);
    };
    await engine.start('always', { number: '4000000', attempt: 1 });
    expect(await ended('always')).toMatchObject({ status: 'FAILED', error: { name: 'TryFailed' } });
    await using stores = await openStores(directory);
    const row = await stores.metadata.find(4_000_000n);
    expect(row).toMatchObject({ status: 'calculating', leaseOwner: null, failures: 1, error: { code: 'task-lost' } });
    expect(await keysOf(stores.objects)).toEqual([]);
  });

  it('tells the process to stop when the execution is stopped', async () => {
    await request(2_000_000n);
    await engine.start('stopped', { number: '2000000', attempt: 1 });
    await until(async () => started.some((task) => taskOf(task) === 'calculate'));
    const { pid } = started.find((task) => taskOf(task) === 'calculate')!;
    await engine.stop('stopped', 'on request');
    expect(await ended('stopped')).toMatchObject({ status: 'ABORTED' });
    await until(async () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    });
  });
});
