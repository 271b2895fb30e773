import { InputError } from '@factorial/compute';
import { CapacityError, TransientError } from '../contracts/errors.ts';
import { maxTimerMs, positiveInteger } from '../contracts/positive-integer.ts';
import { toJson } from './json-payload.ts';
import { type Execution, executionNamePattern, type WorkflowEngine } from './workflow-engine.ts';

type Library = typeof import('@aws-sdk/client-sfn');
type Client = InstanceType<Library['SFNClient']>;

export interface StepFunctionsWorkflowEngineOptions {
  /** `arn:aws:states:<region>:<account>:stateMachine:<name>`. */
  readonly stateMachineArn: string;
  /** Another address than the region's own. */
  readonly endpoint?: string;
  /** Default: the region of the ARN. */
  readonly region?: string;
  /** Default: the credentials of the process (environment, container or instance role). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Tries of one request. Default 3. */
  readonly maxAttempts?: number;
  /** Default 3,000. */
  readonly connectTimeoutMs?: number;
  /** Default 10,000. */
  readonly requestTimeoutMs?: number;
}

const arnPattern = /^arn:([a-z-]+):states:([a-z0-9-]+):(\d{12}):stateMachine:([A-Za-z0-9_-]{1,80})$/;

/** Starts, looks up and stops executions of a state machine through its service. The client library is loaded at the first call. */
export function createStepFunctionsWorkflowEngine(options: StepFunctionsWorkflowEngineOptions): WorkflowEngine {
  return new StepFunctionsWorkflowEngine(options);
}

class StepFunctionsWorkflowEngine implements WorkflowEngine {
  readonly #options: StepFunctionsWorkflowEngineOptions;
  readonly #region: string;
  /** ARN of an execution without its name. */
  readonly #executionArnPrefix: string;
  #loaded: Promise<{ readonly library: Library; readonly client: Client }> | undefined;
  #closed = false;

  constructor(options: StepFunctionsWorkflowEngineOptions) {
    const [, partition, region, account, name] = arnPattern.exec(options.stateMachineArn) ?? [];
    if (region === undefined) throw new InputError('the ARN of a state machine', options.stateMachineArn.slice(0, 200));
    positiveInteger('maxAttempts', options.maxAttempts ?? 3, 10);
    positiveInteger('connectTimeoutMs', options.connectTimeoutMs ?? 3_000, maxTimerMs);
    positiveInteger('requestTimeoutMs', options.requestTimeoutMs ?? 10_000, maxTimerMs);
    this.#options = options;
    this.#region = options.region ?? region;
    this.#executionArnPrefix = `arn:${partition}:states:${region}:${account}:execution:${name}:`;
  }

  async start(name: string, input: unknown): Promise<void> {
    if (!executionNamePattern.test(name))
      throw new InputError(`an execution name matching ${executionNamePattern.source}`, name.slice(0, 100));
    const json = JSON.stringify(toJson(input));
    const { stateMachineArn } = this.#options;
    await this.#call(async (client, { StartExecutionCommand, ExecutionAlreadyExists }) => {
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input: json }));
      } catch (fault) {
        // It ended, or was started with another input: either way the name was used.
        if (!(fault instanceof ExecutionAlreadyExists)) throw fault;
      }
    });
  }

  async describe(name: string): Promise<Execution | undefined> {
    return await this.#call(async (client, { DescribeExecutionCommand, ExecutionDoesNotExist }) => {
      try {
        const found = await client.send(new DescribeExecutionCommand({ executionArn: this.#arnOf(name) }));
        // One that waits for a redrive is over as it is.
        const status = found.status === 'PENDING_REDRIVE' ? 'FAILED' : (found.status ?? 'RUNNING');
        if (status === 'RUNNING') return { name, status };
        if (status === 'SUCCEEDED') return { name, status, output: JSON.parse(found.output ?? 'null') as unknown };
        return { name, status, error: { name: found.error ?? status, cause: found.cause ?? '' } };
      } catch (fault) {
        if (fault instanceof ExecutionDoesNotExist) return undefined;
        throw fault;
      }
    });
  }

  async stop(name: string, cause: string): Promise<void> {
    await this.#call(async (client, { StopExecutionCommand, ExecutionDoesNotExist }) => {
      const request = { executionArn: this.#arnOf(name), error: 'ExecutionAborted', cause: cause.slice(0, 1_000) };
      try {
        await client.send(new StopExecutionCommand(request));
      } catch (fault) {
        if (!(fault instanceof ExecutionDoesNotExist)) throw fault;
      }
    });
  }

  async ping(): Promise<void> {
    const { stateMachineArn } = this.#options;
    await this.#call(async (client, { ListExecutionsCommand }) => {
      await client.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 1 }));
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    (await this.#loaded)?.client.destroy();
  }

  #arnOf(name: string): string {
    return `${this.#executionArnPrefix}${name}`;
  }

  async #call<T>(work: (client: Client, library: Library) => Promise<T>): Promise<T> {
    if (this.#closed) throw new TransientError('the workflow engine is closed');
    this.#loaded ??= this.#load();
    const { client, library } = await this.#loaded;
    try {
      return await work(client, library);
    } catch (fault) {
      throw translateFault(fault);
    }
  }

  async #load(): Promise<{ readonly library: Library; readonly client: Client }> {
    const library = await import('@aws-sdk/client-sfn');
    const { endpoint, credentials, maxAttempts = 3 } = this.#options;
    const { connectTimeoutMs = 3_000, requestTimeoutMs = 10_000 } = this.#options;
    const client = new library.SFNClient({
      region: this.#region,
      maxAttempts,
      requestHandler: {
        connectionTimeout: connectTimeoutMs,
        requestTimeout: requestTimeoutMs,
        throwOnRequestTimeout: true,
      },
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
    });
    return { library, client };
  }
}

/**
 * A fault of the client in the words of this project. What an operator must put right (no such state machine, no
 * permission) is transient too: the row waits, and the message says what is wrong.
 */
function translateFault(fault: unknown): Error {
  if (!(fault instanceof Error)) return new TransientError(`the workflow service failed: ${String(fault)}`);
  if (fault.name === 'InvalidName' || fault.name === 'InvalidExecutionInput')
    return new InputError('a name and an input that the workflow service takes', fault.message, { cause: fault });
  const message = `the workflow service answered ${fault.name}: ${fault.message}`;
  return fault.name === 'ExecutionLimitExceeded'
    ? new CapacityError(message, { cause: fault })
    : new TransientError(message, { cause: fault });
}
