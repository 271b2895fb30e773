import { randomUUID } from 'node:crypto';
import { CapacityError, executionNamePattern, maxInputBytes, type WorkflowEngine } from '@factorial/backing';
import type { ExecutionLog, LoggedExecution } from './execution-log.ts';
import { historyOf } from './history.ts';
import { pageOf } from './page.ts';
import { ServiceError } from './service-error.ts';

/** A request as it came over the wire. */
export type RequestBody = Readonly<Record<string, unknown>>;

/** What the operations work on: one state machine. */
export interface Machine {
  readonly stateMachineArn: string;
  readonly engine: WorkflowEngine;
  readonly log: ExecutionLog;
}

type Operation = (machine: Machine, body: RequestBody) => Promise<object>;

/** The operations of the Step Functions API that are served, by their name in `X-Amz-Target`. */
export const operations: Readonly<Record<string, Operation>> = {
  StartExecution: startExecution,
  DescribeExecution: describeExecution,
  StopExecution: stopExecution,
  ListExecutions: listExecutions,
  GetExecutionHistory: getExecutionHistory,
};

const seconds = (ms: number): number => ms / 1000;

/** The same name with the same input while it runs is the same execution; otherwise a used name is refused. */
async function startExecution(machine: Machine, body: RequestBody): Promise<object> {
  assertStateMachine(machine, body);
  const name = text(body, 'name') ?? randomUUID();
  if (!executionNamePattern.test(name)) {
    throw new ServiceError('InvalidName', `Invalid Name: '${name.slice(0, 100)}'`);
  }
  const input = text(body, 'input') ?? '{}';
  const value = parseInput(input);
  const known = machine.log.find(name);
  if (known !== undefined) {
    if (known.stoppedMs !== undefined || known.input !== input) {
      throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${arnOf(machine, name)}'`);
    }
    return { executionArn: arnOf(machine, name), startDate: seconds(known.startedMs) };
  }
  const execution = machine.log.begin(name, input);
  try {
    await machine.engine.start(name, value);
  } catch (error) {
    machine.log.forget(name);
    if (error instanceof CapacityError) throw new ServiceError('ExecutionLimitExceeded', error.message);
    throw error;
  }
  return { executionArn: arnOf(machine, name), startDate: seconds(execution.startedMs) };
}

async function describeExecution(machine: Machine, body: RequestBody): Promise<object> {
  const execution = executionOf(machine, body);
  const state = await machine.engine.describe(execution.name);
  const status = state?.status ?? 'RUNNING';
  const error = execution.stopReason ?? (state?.error && { error: state.error.name, cause: state.error.cause });
  return {
    ...summaryOf(machine, execution, status),
    input: execution.input,
    inputDetails: { included: true },
    ...(status === 'SUCCEEDED' ? { output: JSON.stringify(state?.output), outputDetails: { included: true } } : {}),
    ...(status === 'RUNNING' || status === 'SUCCEEDED' ? {} : error),
  };
}

async function stopExecution(machine: Machine, body: RequestBody): Promise<object> {
  const execution = executionOf(machine, body);
  if (execution.stoppedMs === undefined) {
    const cause = text(body, 'cause') ?? '';
    execution.stopReason = { error: text(body, 'error') ?? 'ExecutionAborted', cause };
    await machine.engine.stop(execution.name, cause);
  }
  return { stopDate: seconds(execution.stoppedMs ?? Date.now()) };
}

async function listExecutions(machine: Machine, body: RequestBody): Promise<object> {
  assertStateMachine(machine, body);
  const filter = text(body, 'statusFilter');
  const all: object[] = [];
  for (const execution of machine.log.newestFirst()) {
    const status = (await machine.engine.describe(execution.name))?.status ?? 'RUNNING';
    if (filter === undefined || filter === status) all.push(summaryOf(machine, execution, status));
  }
  const { items, nextToken } = pageOf(all, body, 1_000);
  return { executions: items, nextToken };
}

async function getExecutionHistory(machine: Machine, body: RequestBody): Promise<object> {
  const events = historyOf(executionOf(machine, body).events);
  if (body.reverseOrder === true) events.reverse();
  const { items, nextToken } = pageOf(events, body, 1_000);
  return { events: items, nextToken };
}

function summaryOf(machine: Machine, execution: LoggedExecution, status: string): object {
  return {
    executionArn: arnOf(machine, execution.name),
    stateMachineArn: machine.stateMachineArn,
    name: execution.name,
    status,
    startDate: seconds(execution.startedMs),
    ...(status === 'RUNNING' ? {} : { stopDate: seconds(execution.stoppedMs ?? Date.now()) }),
  };
}

function arnOf({ stateMachineArn }: Machine, name: string): string {
  return `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
}

function assertStateMachine(machine: Machine, body: RequestBody): void {
  const arn = text(body, 'stateMachineArn') ?? '';
  if (arn === machine.stateMachineArn) return;
  if (!arn.startsWith('arn:')) throw new ServiceError('InvalidArn', `Invalid Arn: '${arn}'`);
  throw new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
}

function executionOf(machine: Machine, body: RequestBody): LoggedExecution {
  const arn = text(body, 'executionArn') ?? '';
  if (!arn.startsWith('arn:')) throw new ServiceError('InvalidArn', `Invalid Arn: '${arn}'`);
  const prefix = arnOf(machine, '');
  const execution = arn.startsWith(prefix) ? machine.log.find(arn.slice(prefix.length)) : undefined;
  if (execution === undefined) throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  return execution;
}

function parseInput(input: string): unknown {
  if (Buffer.byteLength(input) > maxInputBytes) {
    throw new ServiceError('InvalidExecutionInput', `expected at most ${maxInputBytes} bytes of input`);
  }
  try {
    return JSON.parse(input) as unknown;
  } catch (error) {
    throw new ServiceError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${String(error)}'`);
  }
}

/** A member that is text or absent. */
function text(body: RequestBody, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw new ServiceError('ValidationException', `expected ${name} as a string, got ${typeof value}`);
}
