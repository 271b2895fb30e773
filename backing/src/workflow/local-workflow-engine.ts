import { InputError } from '@factorial/compute';
import type { StateMachine } from 'aws-local-stepfunctions';
import { CapacityError, TransientError } from '../contracts/errors.ts';
import { maxTimerMs, positiveInteger } from '../contracts/positive-integer.ts';
import { abortedExecution, abortReason, failedExecution } from './execution-ends.ts';
import { type JsonValue, toJson } from './json-payload.ts';
import { handlersByState, type TaskHandler, type WorkflowDefinition } from './task-handlers.ts';
import { type Execution, executionNamePattern, type WorkflowEngine } from './workflow-engine.ts';

export interface LocalWorkflowEngineOptions {
  readonly definition: WorkflowDefinition;
  /** By the `Resource` of the task states. */
  readonly handlers: Readonly<Record<string, TaskHandler>>;
  /** Executions that run at once; further ones wait. Default 2. */
  readonly maxConcurrent?: number;
  /** Executions that may wait. Default 1,000. */
  readonly maxWaiting?: number;
  /** Finished executions remembered; the oldest go first. Default 200. */
  readonly maxHistory?: number;
  /** How long `close` waits for handlers to notice the abort. Default 5,000. */
  readonly closeMs?: number;
  /** Told of every step of every execution, in order; it must not throw. */
  readonly onEvent?: (executionName: string, event: ExecutionEvent) => void;
  /** Told of every execution that ended; it must not throw. */
  readonly onEnd?: (execution: Execution) => void;
}

/** One step of an execution. */
export interface ExecutionEvent {
  /** In the words of the library: `ExecutionStarted`, `StateEntered`, `StateExited`, `StateFailed` … */
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly state?: {
    readonly name: string;
    readonly type: string;
    readonly input: unknown;
    readonly output?: unknown;
  };
  readonly input?: unknown;
  readonly output?: unknown;
  readonly Error?: string;
  readonly Cause?: unknown;
}

/** A definition as the library types it. */
type LibraryDefinition = ConstructorParameters<typeof StateMachine>[0];

interface Job {
  readonly name: string;
  readonly input: JsonValue;
  readonly abort: AbortController;
}

/**
 * Runs the state machine in this process with local handlers in place of its task resources. Executions are gone with the
 * process: the row's lease runs out then, and the sweep starts it again.
 *
 * An execution: waiting (`RUNNING` to the outside) → running → `SUCCEEDED` | `FAILED` | `TIMED_OUT` | `ABORTED`.
 */
export function createLocalWorkflowEngine(options: LocalWorkflowEngineOptions): WorkflowEngine {
  return new LocalWorkflowEngine(options);
}

class LocalWorkflowEngine implements WorkflowEngine {
  readonly #definition: WorkflowDefinition;
  readonly #handlers: ReadonlyMap<string, TaskHandler>;
  readonly #maxConcurrent: number;
  readonly #maxWaiting: number;
  readonly #maxHistory: number;
  readonly #closeMs: number;
  readonly #onEvent: LocalWorkflowEngineOptions['onEvent'];
  readonly #onEnd: LocalWorkflowEngineOptions['onEnd'];
  readonly #waiting = new Map<string, Job>();
  readonly #running = new Map<string, Job>();
  readonly #finished = new Map<string, Execution>();
  /** Handlers that have not returned yet, also those of executions that are over. */
  readonly #working = new Set<Promise<unknown>>();
  #machine: Promise<StateMachine> | undefined;
  #closed = false;

  constructor(options: LocalWorkflowEngineOptions) {
    this.#definition = options.definition;
    this.#handlers = handlersByState(options.definition, options.handlers);
    this.#maxConcurrent = positiveInteger('maxConcurrent', options.maxConcurrent ?? 2);
    this.#maxWaiting = positiveInteger('maxWaiting', options.maxWaiting ?? 1_000);
    this.#maxHistory = positiveInteger('maxHistory', options.maxHistory ?? 200);
    this.#closeMs = positiveInteger('closeMs', options.closeMs ?? 5_000, maxTimerMs);
    this.#onEvent = options.onEvent;
    this.#onEnd = options.onEnd;
  }

  async start(name: string, input: unknown): Promise<void> {
    this.#assertOpen();
    if (!executionNamePattern.test(name)) {
      throw new InputError(`an execution name matching ${executionNamePattern.source}`, name.slice(0, 100));
    }
    const json = toJson(input);
    await this.#load();
    this.#assertOpen();
    if (this.#waiting.has(name) || this.#running.has(name) || this.#finished.has(name)) return;
    const room = this.#running.size < this.#maxConcurrent || this.#waiting.size < this.#maxWaiting;
    if (!room) {
      throw new CapacityError(`expected fewer than ${this.#maxWaiting} waiting executions, got as many: try later`);
    }
    this.#waiting.set(name, { name, input: json, abort: new AbortController() });
    this.#startWaiting();
  }

  async describe(name: string): Promise<Execution | undefined> {
    if (this.#waiting.has(name) || this.#running.has(name)) return { name, status: 'RUNNING' };
    return this.#finished.get(name);
  }

  async stop(name: string, cause: string): Promise<void> {
    const running = this.#running.get(name);
    if (running) running.abort.abort(abortReason(cause));
    if (this.#waiting.delete(name)) this.#remember(abortedExecution(name, cause));
    else if (running) this.#end(running, abortedExecution(name, cause));
  }

  async ping(): Promise<void> {
    this.#assertOpen();
    await this.#load();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const name of [...this.#waiting.keys(), ...this.#running.keys()]) await this.stop(name, 'the engine closes');
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#closeMs);
    });
    await Promise.race([Promise.allSettled(this.#working), timeout]);
    clearTimeout(timer);
  }

  #startWaiting(): void {
    for (const job of this.#waiting.values()) {
      if (this.#closed || this.#running.size >= this.#maxConcurrent) return;
      this.#waiting.delete(job.name);
      this.#running.set(job.name, job);
      void this.#execute(job);
    }
  }

  async #execute(job: Job): Promise<void> {
    const execution = await this.#runToEnd(job);
    // Whatever still works for this execution (the sibling of a failed branch) is told to stop.
    job.abort.abort(abortReason('the execution is over'));
    this.#end(job, execution);
  }

  async #runToEnd(job: Job): Promise<Execution> {
    const { name } = job;
    try {
      const machine = await this.#load();
      job.abort.signal.throwIfAborted();
      const run = machine.run(job.input, {
        overrides: { taskResourceLocalHandlers: this.#localHandlers(job) },
        context: { Execution: { Name: name, Id: name } },
      });
      job.abort.signal.addEventListener('abort', run.abort, { once: true });
      void this.#passEvents(name, run.eventLogs);
      return { name, status: 'SUCCEEDED', output: await run.result };
    } catch (fault) {
      return failedExecution(name, fault);
    }
  }

  /** The library keeps every event of a run until somebody takes it: a run with many states would only grow. */
  async #passEvents(name: string, events: AsyncIterable<unknown>): Promise<void> {
    for await (const event of events) this.#onEvent?.(name, event as ExecutionEvent);
  }

  #localHandlers(job: Job): Record<string, (input: JsonValue) => Promise<JsonValue>> {
    const context = Object.freeze({ executionName: job.name, signal: job.abort.signal });
    const local = [...this.#handlers].map(([state, handler]) => {
      const call = async (input: JsonValue): Promise<JsonValue> => {
        job.abort.signal.throwIfAborted();
        const work = handler(input, context);
        const tracked = work.catch(() => undefined).finally(() => this.#working.delete(tracked));
        this.#working.add(tracked);
        return toJson(await work);
      };
      return [state, call] as const;
    });
    return Object.fromEntries(local);
  }

  /** The first end counts: a stopped execution stays `ABORTED` however its handlers end. */
  #end(job: Job, execution: Execution): void {
    if (this.#running.get(job.name) !== job) return;
    this.#running.delete(job.name);
    this.#remember(execution);
    this.#startWaiting();
  }

  #remember(execution: Execution): void {
    this.#finished.set(execution.name, Object.freeze(execution));
    this.#onEnd?.(execution);
    for (const name of this.#finished.keys()) {
      if (this.#finished.size <= this.#maxHistory) return;
      this.#finished.delete(name);
    }
  }

  /** The library is loaded when it is first needed: it costs a good part of a second, which start-up need not pay. */
  async #load(): Promise<StateMachine> {
    this.#machine ??= loadMachine(this.#definition);
    return await this.#machine;
  }

  #assertOpen(): void {
    if (this.#closed) throw new TransientError('the workflow engine is closed');
  }
}

async function loadMachine(definition: WorkflowDefinition): Promise<StateMachine> {
  const library = await import('aws-local-stepfunctions');
  try {
    const options = { validationOptions: { checkArn: false } };
    return new library.StateMachine(withoutSubstitutions(definition), options);
  } catch (fault) {
    throw new InputError('a definition in Amazon States Language', (fault as Error).message, { cause: fault });
  }
}

/** Substitutions of the deployment (`${Name}`), which the library refuses, stand for their own names here. */
function withoutSubstitutions(definition: WorkflowDefinition): LibraryDefinition {
  return JSON.parse(JSON.stringify(definition).replaceAll(/\$\{(\w+)\}/g, '$1')) as LibraryDefinition;
}
