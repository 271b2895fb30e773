import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { executionName } from '@factorial/backing';
import { connect } from 'amqplib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../../backing/dev/process-tree.ts';
import { type HttpFaultProxy, startHttpFaultProxy } from '../../backing/test/http-fault-proxy.ts';
import { golden } from '../golden.ts';
import { type Deployment, eventually, post, settled, startDeployment } from './deployment.ts';
import { expectNothingLost } from './invariants.ts';
import type { ServiceProcess } from './service-process.ts';

/** The state machine as its server says where it is. */
const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:factorial';
const largeFrom = { LARGE_FROM: '2000' };
const memory = { COMPUTE_MEMORY_BYTES: '1GiB' };
/** Long enough to be met at work. */
const slow = { ENGINE: 'gmp' };
/** Patience for a busy machine; nothing here is measured. */
const timeout = 300_000;

let deployment: Deployment;
let proxy: HttpFaultProxy;
let parts: ServiceProcess[];
beforeAll(async () => {
  deployment = await startDeployment();
  proxy = await startHttpFaultProxy(deployment.swift.url);
}, 180_000);
afterAll(async () => {
  await proxy?.close();
  await deployment?.[Symbol.asyncDispose]();
});
afterEach(async () => {
  proxy.fault = () => undefined;
  for (const part of parts.reverse()) await part.kill();
});

interface LargeService {
  readonly api: ServiceProcess;
  readonly workflow: ServiceProcess;
  readonly client: SFNClient;
}

/** State machine, API and two workers as processes; every n from 2,000 on goes to the state machine. */
async function startLarge(changes: Readonly<Record<string, string>> = {}): Promise<LargeService> {
  parts = [];
  const workflow = await deployment.startWorkflow({ ...memory, S3_ENDPOINT: proxy.url, ...changes });
  parts.push(workflow);
  const settings = { ...largeFrom, STATE_MACHINE_ARN: stateMachineArn, SFN_ENDPOINT: workflow.url };
  const api = await deployment.startApi(settings);
  parts.push(api);
  parts.push(...(await Promise.all([deployment.startWorker(settings), deployment.startWorker(settings)])));
  return { api, workflow, client: sfnClient(workflow) };
}

function sfnClient({ url }: ServiceProcess): SFNClient {
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  return new SFNClient({ endpoint: url, region: 'us-east-1', credentials });
}

async function statusOf(client: SFNClient, name: string): Promise<string | undefined> {
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  return (await client.send(new DescribeExecutionCommand({ executionArn }))).status;
}

async function executionsOf(client: SFNClient): Promise<(string | undefined)[]> {
  const { executions = [] } = await client.send(new ListExecutionsCommand({ stateMachineArn }));
  return executions.map(({ name }) => name).sort();
}

interface TaskProcess {
  readonly task: string;
  readonly kind: 'function' | 'container';
  readonly execution: string;
  readonly pid: number;
}

/** The processes of a task that the server has begun, oldest first. */
function tasksOf(workflow: ServiceProcess, task: string): readonly TaskProcess[] {
  const begun = workflow.lines.filter((line) => line.includes('"msg":"task started"'));
  return begun.map((line) => JSON.parse(line) as TaskProcess).filter((started) => started.task === task);
}

/** The process of the latest calculation of n, once the row tells that it has begun. */
async function calculationAtWork(workflow: ServiceProcess, n: number, count = 1): Promise<number> {
  const pid = await eventually(`calculation ${count} of ${n}! to begin`, 60_000, async () => {
    const tasks = tasksOf(workflow, 'calculate').filter(({ execution }) => execution.startsWith(`factorial-${n}-`));
    return tasks[count - 1]?.pid;
  });
  await eventually(`progress of ${n}!`, 60_000, async () => {
    if (!isAlive(pid)) throw new Error('the calculation is over already');
    return ((await deployment.metadata.find(BigInt(n)))?.progress?.done ?? 0) > 0 ? true : undefined;
  });
  return pid;
}

const goldenOf = (numbers: readonly number[]) => new Map(numbers.map((n) => [n, golden(n).sha256]));

describe('requests from LARGE_FROM on, over HTTP to the state machine, its tasks as processes', { timeout }, () => {
  it('end done with golden digits, one object and one execution each, and are announced', async () => {
    const { api, workflow, client } = await startLarge({ LARGE_CONCURRENCY: '2' });
    const numbers = [2_000, 9_999, 20_000, 100_000, 250_000, 300_000];
    await deployment.forget(...numbers);
    const connection = await connect(deployment.rabbitmq.url);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, 'factorial', 'factorial.*');
    const told: { event: string; number: string }[] = [];
    const tell = (text: string): void => void told.push(JSON.parse(text) as (typeof told)[number]);
    await channel.consume(queue, (message) => tell(message?.content.toString() ?? 'null'), { noAck: true });

    for (const n of numbers) expect(await post(api, n)).toBe(202);
    await expectNothingLost(deployment, api, goldenOf(numbers), timeout);

    const rows = await Promise.all(numbers.map((n) => settled(deployment.metadata, n)));
    for (const row of rows) expect(row).toMatchObject({ failures: 0, interruptions: 0 });
    expect(await executionsOf(client)).toEqual(rows.map((row) => executionName(row)).sort());
    for (const row of rows) expect(await statusOf(client, executionName(row))).toBe('SUCCEEDED');
    for (const task of ['plan', 'calculate', 'verify', 'publish'])
      expect(tasksOf(workflow, task)).toHaveLength(numbers.length);
    const expected = numbers.map((n) => `done ${n}`).sort();
    // At least once.
    const heard = new Set(told.map(({ event, number }) => `${event} ${number}`));
    expect([...heard].sort()).toEqual(expected);
    await connection.close();
  });

  it('are calculated and verified by containers where functions are not to be used', async () => {
    const { api, workflow } = await startLarge({ LARGE_FUNCTION_MAX_SECONDS: '0' });
    await deployment.forget(65_536);
    await post(api, 65_536);
    await expectNothingLost(deployment, api, goldenOf([65_536]), timeout);
    expect(tasksOf(workflow, 'plan').map(({ kind }) => kind)).toEqual(['function']);
    for (const task of ['calculate', 'verify'])
      expect(tasksOf(workflow, task).map(({ kind }) => kind)).toEqual(['container']);
  });

  it('are started once, however often they are asked for and their messages are delivered', async () => {
    const { api, workflow, client } = await startLarge();
    const n = 10_000;
    await deployment.forget(n);
    await Promise.all(Array.from({ length: 20 }, () => post(api, n)));
    const connection = await connect(deployment.rabbitmq.url);
    const channel = await connection.createConfirmChannel();
    const request = Buffer.from(JSON.stringify({ version: 1, number: String(n), attempt: 1 }));
    for (let copy = 0; copy < 5; copy += 1)
      channel.publish('factorial', 'request.large', request, { persistent: true });
    await channel.waitForConfirms();
    await connection.close();
    await expectNothingLost(deployment, api, goldenOf([n]), timeout);
    expect(await executionsOf(client)).toEqual([`factorial-${n}-1-0`]);
    expect(tasksOf(workflow, 'calculate')).toHaveLength(1);
    // By hand, the same name with another input is refused, as on AWS.
    const again = new StartExecutionCommand({ stateMachineArn, name: `factorial-${n}-1-0`, input: '{"number":"7"}' });
    await expect(client.send(again)).rejects.toThrow(ExecutionAlreadyExists);
  });

  it('survive the kill of their task mid-run: calculated again under the same claim, no failure counted', async () => {
    const { api, workflow } = await startLarge(slow);
    const n = 1_000_000;
    await deployment.forget(n);
    await post(api, n);
    process.kill(await calculationAtWork(workflow, n), 'SIGKILL');
    await expectNothingLost(deployment, api, goldenOf([n]), timeout);
    expect(tasksOf(workflow, 'calculate')).toHaveLength(2);
    expect(await settled(deployment.metadata, n)).toMatchObject({ fence: 1n, failures: 0, interruptions: 0 });
  });

  it('survive the kill of the state machine itself: its tasks stop, and the sweep starts anew where it is again', async () => {
    const { workflow, api } = await startLarge(slow);
    const n = 500_000;
    await deployment.forget(n);
    const port = new URL(workflow.url).port;
    await post(api, n);
    const pid = await calculationAtWork(workflow, n);
    await workflow.kill();
    await eventually('the orphaned task to end', 30_000, async () => (isAlive(pid) ? undefined : true));
    const restarted = await deployment.startWorkflow({ ...memory, S3_ENDPOINT: proxy.url, WORKFLOW_PORT: port });
    parts.push(restarted);
    await expectNothingLost(deployment, api, goldenOf([n]), timeout);
    expect(await settled(deployment.metadata, n)).toMatchObject({ failures: 0, interruptions: 1 });
  });

  it('outlast a burst of 503 from S3 within their execution', async () => {
    let refused = 0;
    proxy.fault = ({ method, url }) => {
      // More than one task's tries of one request: the state machine has to try again.
      if (method !== 'PUT' || !url.pathname.includes('/factorials/65535/') || refused >= 7) return undefined;
      refused += 1;
      return { kind: 'answer', status: 503 };
    };
    const { api, workflow } = await startLarge();
    await deployment.forget(65_535);
    await post(api, 65_535);
    await expectNothingLost(deployment, api, goldenOf([65_535]), timeout);
    expect(refused).toBe(7);
    expect(tasksOf(workflow, 'calculate')).toHaveLength(2);
    expect(await settled(deployment.metadata, 65_535)).toMatchObject({ fence: 1n, failures: 0 });
  });

  it('are stopped by DELETE: execution aborted, process gone, nothing left; asked for again they are done', async () => {
    const { api, workflow, client } = await startLarge(slow);
    const n = 2_000_000;
    await deployment.forget(n);
    await post(api, n);
    const pid = await calculationAtWork(workflow, n);
    const deleted = await fetch(`${api.url}/factorial?number=${n}`, { method: 'DELETE' });
    expect(deleted.status).toBe(200);
    expect(await settled(deployment.metadata, n)).toMatchObject({ status: 'failed', error: { code: 'cancelled' } });
    expect(await statusOf(client, `factorial-${n}-1-0`)).toBe('ABORTED');
    await eventually('the task to end', 15_000, async () => (isAlive(pid) ? undefined : true));
    expect(await deployment.objects.sweepUnfinished(-60_000)).toBe(0);
    for await (const { key } of deployment.objects.list()) expect(key).not.toContain(`factorials/${n}/`);
    await deployment.killWorkers();
    await workflow.kill();
    const quick = await startLarge();
    expect(await post(quick.api, n)).toBe(202);
    await expectNothingLost(deployment, quick.api, goldenOf([n]), timeout);
    expect(await settled(deployment.metadata, n)).toMatchObject({ status: 'done', failures: 0 });
  });
});
