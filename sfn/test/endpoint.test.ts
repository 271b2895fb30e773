import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { TaskHandler } from '@factorial/backing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { oneTask } from '../../backing/test/contracts/workflow-engine.contract.ts';
import { type StepFunctionsEndpoint, startStepFunctionsEndpoint } from '../src/endpoint/step-functions-endpoint.ts';
import { until } from './services.ts';

let endpoint: StepFunctionsEndpoint;
let client: SFNClient;
let stateMachineArn: string;

/** Waits when its input says so, fails when it says so, answers with it otherwise. */
const work: TaskHandler = (input, { signal }) => {
  const { wait, fail } = input as { wait?: boolean; fail?: boolean };
  if (fail) return Promise.reject(new RangeError('on request'));
  if (!wait) return Promise.resolve(input);
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
};

beforeEach(async () => {
  endpoint = await startStepFunctionsEndpoint({
    definition: oneTask,
    handlers: { work },
    maxConcurrent: 4,
    maxHistory: 5,
  });
  stateMachineArn = endpoint.stateMachineArn;
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  client = new SFNClient({ endpoint: endpoint.url, region: 'us-east-1', credentials, maxAttempts: 1 });
});
afterEach(async () => {
  client.destroy();
  await endpoint.close();
});

const start = (name: string, input = '{}') => client.send(new StartExecutionCommand({ stateMachineArn, name, input }));
const describeArn = (executionArn: string | undefined) => client.send(new DescribeExecutionCommand({ executionArn }));

async function startAndEnd(name: string, input = '{}'): Promise<string> {
  const { executionArn } = await start(name, input);
  await until(async () => (await describeArn(executionArn)).status !== 'RUNNING');
  return executionArn ?? '';
}

describe('the Step Functions endpoint, to the real client', () => {
  it('starts, describes and lists executions', async () => {
    const before = Date.now();
    const executionArn = await startAndEnd('one', '{"number":"5"}');
    expect(executionArn).toBe('arn:aws:states:us-east-1:000000000000:execution:factorial:one');
    const found = await describeArn(executionArn);
    expect(found).toMatchObject({
      name: 'one',
      stateMachineArn,
      status: 'SUCCEEDED',
      input: '{"number":"5"}',
      output: '{"number":"5"}',
    });
    expect(found.startDate?.getTime()).toBeGreaterThanOrEqual(before - 1);
    expect(found.stopDate?.getTime()).toBeGreaterThanOrEqual(found.startDate?.getTime() ?? 0);
    await start('two', '{"wait":true}');
    const { executions } = await client.send(new ListExecutionsCommand({ stateMachineArn }));
    expect(executions?.map(({ name, status }) => [name, status])).toEqual([
      ['two', 'RUNNING'],
      ['one', 'SUCCEEDED'],
    ]);
    const running = await client.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }));
    expect(running.executions?.map(({ name }) => name)).toEqual(['two']);
  });

  it('gives pages by token until nothing is left', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await startAndEnd(name);
    const names: (string | undefined)[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 2, nextToken }));
      names.push(...(page.executions ?? []).map(({ name }) => name));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    expect(names).toEqual(['e', 'd', 'c', 'b', 'a']);
    await startAndEnd('f');
    const kept = await client.send(new ListExecutionsCommand({ stateMachineArn }));
    expect(kept.executions?.map(({ name }) => name)).toEqual(['f', 'e', 'd', 'c', 'b']);
    await expect(client.send(new ListExecutionsCommand({ stateMachineArn, nextToken: 'x' }))).rejects.toMatchObject({
      name: 'InvalidToken',
    });
  });

  it('takes the same name and input for the same execution while it runs, and refuses the name otherwise', async () => {
    const first = await start('same', '{"wait":true}');
    const again = await Promise.all(Array.from({ length: 10 }, () => start('same', '{"wait":true}')));
    for (const { executionArn, startDate } of again)
      expect({ executionArn, startDate }).toEqual({
        executionArn: first.executionArn,
        startDate: first.startDate,
      });
    await expect(start('same', '{}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    await client.send(new StopExecutionCommand({ executionArn: first.executionArn }));
    await expect(start('same', '{"wait":true}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });

  it('stops an execution with the given error and cause, once', async () => {
    const { executionArn } = await start('stop', '{"wait":true}');
    const { stopDate } = await client.send(
      new StopExecutionCommand({ executionArn, error: 'Enough', cause: 'on request' }),
    );
    expect(stopDate).toBeInstanceOf(Date);
    await client.send(new StopExecutionCommand({ executionArn, error: 'Other', cause: 'later' }));
    expect(await describeArn(executionArn)).toMatchObject({ status: 'ABORTED', error: 'Enough', cause: 'on request' });
  });

  it('tells the history of an execution, forwards and backwards', async () => {
    const executionArn = await startAndEnd('fails', '{"fail":true}');
    const { events } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    expect(events?.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskFailed',
      'ExecutionFailed',
    ]);
    expect(events?.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
    expect(events?.[2]?.taskFailedEventDetails).toMatchObject({ error: 'RangeError' });
    const latest = await client.send(
      new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1 }),
    );
    expect(latest.events?.[0]?.type).toBe('ExecutionFailed');
    const done = await startAndEnd('done', '{"a":1}');
    const history = await client.send(new GetExecutionHistoryCommand({ executionArn: done }));
    expect(history.events?.at(-1)?.executionSucceededEventDetails?.output).toBe('{"a":1}');
  });

  it('answers wrong requests with the error types of the service', async () => {
    await expect(start('a b')).rejects.toMatchObject({ name: 'InvalidName' });
    await expect(start('bad', '{')).rejects.toMatchObject({ name: 'InvalidExecutionInput' });
    await expect(start('big', JSON.stringify('x'.repeat(262_144)))).rejects.toMatchObject({
      name: 'InvalidExecutionInput',
    });
    const other = stateMachineArn.replace(':factorial', ':other');
    await expect(client.send(new StartExecutionCommand({ stateMachineArn: other }))).rejects.toMatchObject({
      name: 'StateMachineDoesNotExist',
    });
    await expect(client.send(new StartExecutionCommand({ stateMachineArn: 'x' }))).rejects.toMatchObject({
      name: 'InvalidArn',
    });
    const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:none`;
    await expect(describeArn(executionArn)).rejects.toMatchObject({ name: 'ExecutionDoesNotExist' });
    await expect(client.send(new StopExecutionCommand({ executionArn }))).rejects.toMatchObject({
      name: 'ExecutionDoesNotExist',
    });
    await expect(describeArn('nonsense')).rejects.toMatchObject({ name: 'InvalidArn' });
  });

  it.each([
    ['an unknown operation', { 'x-amz-target': 'AWSStepFunctions.CreateActivity' }, '{}', 'UnknownOperationException'],
    ['a name every object has', { 'x-amz-target': 'AWSStepFunctions.constructor' }, '{}', 'UnknownOperationException'],
    ['a body that is no JSON', { 'x-amz-target': 'AWSStepFunctions.ListExecutions' }, '{', 'ValidationException'],
    ['a body that is no object', { 'x-amz-target': 'AWSStepFunctions.ListExecutions' }, '[]', 'ValidationException'],
    [
      'a member of the wrong type',
      { 'x-amz-target': 'AWSStepFunctions.StartExecution' },
      '{"stateMachineArn":1}',
      'ValidationException',
    ],
    [
      'a body that is too large',
      { 'x-amz-target': 'AWSStepFunctions.ListExecutions' },
      `"${'x'.repeat(1_100_000)}"`,
      'ValidationException',
    ],
  ])('answers %s with 400', async (_what, headers, body, type) => {
    const response = await fetch(endpoint.url, { method: 'POST', headers, body });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/x-amz-json-1.0');
    expect(await response.json()).toMatchObject({ __type: type });
  });
});
