import { cancelCalculation, createLocalWorkflowEngine, executionName, type WorkflowEngine } from '@factorial/backing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startExecution } from '../src/consumer/start-execution.ts';
import { sweepUnclaimed } from '../src/sweep/sweep.ts';
import { Worker } from '../src/worker.ts';
import { openTestServices, quiet, type TestServices, testOptions, until } from './services.ts';

const large = testOptions({ largeFrom: 1000n, maxFailures: 3 });
const attempt = 1;

let services: TestServices;
let workflow: WorkflowEngine;
/** How each execution ends, in the order they begin; the last one counts for all that follow. */
let endings: ('succeed' | 'fail' | 'run')[];
let inputs: unknown[];

beforeEach(async () => {
  services = await openTestServices();
  endings = ['succeed'];
  inputs = [];
  workflow = createLocalWorkflowEngine({
    definition: { StartAt: 'Work', States: { Work: { Type: 'Task', Resource: 'work', End: true } } },
    handlers: {
      work: (input, { signal }) => {
        inputs.push(input);
        const ending = endings[Math.min(inputs.length, endings.length) - 1];
        if (ending === 'succeed') return Promise.resolve({});
        if (ending === 'fail') return Promise.reject(new Error('broken'));
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    },
  });
});
afterEach(async () => {
  await workflow.close();
  await services[Symbol.asyncDispose]();
});

const rowOf = async (n: bigint) => (await services.metadata.find(n))!;
const sweep = () => sweepUnclaimed({ ...services, workflow }, large);

async function startAndEnd(n: bigint): Promise<void> {
  const name = executionName(await rowOf(n));
  await startExecution(n, { metadata: services.metadata, workflow });
  await until(async () => (await workflow.describe(name))?.status !== 'RUNNING');
}

describe('a large row that nobody holds', () => {
  it('is published when its execution does not exist, and left alone while that runs', async () => {
    endings = ['run'];
    await services.ask(5000n);
    expect(await sweep()).toBe(1);
    await startExecution(5000n, { metadata: services.metadata, workflow });
    await startExecution(5000n, { metadata: services.metadata, workflow });
    expect(await sweep()).toBe(0);
    expect(inputs).toEqual([{ number: '5000', attempt }]);
    expect(await rowOf(5000n)).toMatchObject({ status: 'calculating', failures: 0, fence: 0n });
  });

  it.each(['fail', 'succeed'] as const)(
    'counts a failed try when its execution is over (%s) and left it',
    async (how) => {
      endings = [how];
      await services.ask(5000n);
      await startAndEnd(5000n);
      expect(await sweep()).toBe(0);
      expect(await rowOf(5000n)).toMatchObject({
        status: 'calculating',
        failures: 1,
        error: { code: 'execution-failed' },
      });
      expect(executionName(await rowOf(5000n))).toBe('factorial-5000-1-1');
      expect(await sweep()).toBe(1);
    },
  );

  it('fails for good after the last try', async () => {
    endings = ['fail'];
    await services.ask(5000n);
    const worker = new Worker({ ...services, workflow }, large, quiet);
    await worker.start();
    await until(async () => (await rowOf(5000n)).status === 'failed');
    await worker.stop(1_000);
    expect(inputs).toHaveLength(3);
    const row = await rowOf(5000n);
    expect(row).toMatchObject({ failures: 3, error: { code: 'execution-failed' } });
    expect(row.error?.message).toMatch(/factorial-5000-1-2 ended as FAILED.*broken/);
  });

  it('fails at once when its execution was stopped by hand', async () => {
    endings = ['run'];
    await services.ask(5000n);
    await startExecution(5000n, { metadata: services.metadata, workflow });
    await workflow.stop(executionName(await rowOf(5000n)), 'too expensive');
    expect(await sweep()).toBe(0);
    const row = await rowOf(5000n);
    expect(row).toMatchObject({ status: 'failed', error: { code: 'execution-stopped' } });
    expect(row.error?.message).toMatch(/too expensive/);
  });

  it('is settled once however many workers sweep at the same time', async () => {
    endings = ['fail'];
    await services.ask(5000n);
    await startAndEnd(5000n);
    await Promise.all(Array.from({ length: 5 }, sweep));
    expect((await rowOf(5000n)).failures).toBe(1);
  });
});

describe('a cancellation', () => {
  it('ends the row and stops its execution, and only that one', async () => {
    endings = ['run'];
    await services.ask(5000n);
    await services.ask(6000n);
    await startExecution(5000n, { metadata: services.metadata, workflow });
    await startExecution(6000n, { metadata: services.metadata, workflow });
    const { outcome, row } = await cancelCalculation(5000n, { metadata: services.metadata, workflow });
    expect(outcome).toBe('cancelled');
    expect(row).toMatchObject({ status: 'failed', error: { code: 'cancelled' } });
    expect((await workflow.describe('factorial-5000-1-0'))?.status).toBe('ABORTED');
    expect((await workflow.describe('factorial-6000-1-0'))?.status).toBe('RUNNING');
  });

  it('leaves a row alone that is settled, and is fine with one that has no execution', async () => {
    await services.ask(7000n);
    expect((await cancelCalculation(7000n, { metadata: services.metadata, workflow })).outcome).toBe('cancelled');
    expect((await cancelCalculation(7000n, { metadata: services.metadata, workflow })).outcome).toBe('failed');
    expect(await cancelCalculation(8000n, { metadata: services.metadata, workflow })).toEqual({
      outcome: 'unknown',
      row: undefined,
    });
  });
});
