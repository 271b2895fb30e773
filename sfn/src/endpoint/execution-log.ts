import type { ExecutionEvent } from '@factorial/backing';

/** Events kept of one execution: the limit of Step Functions. */
const maxEvents = 25_000;

/** What is remembered of one execution beside its state. */
export interface LoggedExecution {
  readonly name: string;
  /** JSON as it was given. */
  readonly input: string;
  /** 1 for the first execution of this endpoint. */
  readonly sequence: number;
  readonly startedMs: number;
  stoppedMs: number | undefined;
  /** Error and cause that a stop request named. */
  stopReason: { readonly error: string; readonly cause: string } | undefined;
  readonly events: ExecutionEvent[];
}

/** Executions by name, in the order they began; of those that are over only the latest `maxFinished`. */
export class ExecutionLog {
  readonly #executions = new Map<string, LoggedExecution>();
  readonly #finished = new Set<string>();
  readonly #maxFinished: number;
  #sequence = 0;

  constructor(maxFinished: number) {
    this.#maxFinished = maxFinished;
  }

  find(name: string): LoggedExecution | undefined {
    return this.#executions.get(name);
  }

  begin(name: string, input: string): LoggedExecution {
    this.#sequence += 1;
    const started = { sequence: this.#sequence, startedMs: Date.now(), stoppedMs: undefined, stopReason: undefined };
    const execution: LoggedExecution = { name, input, ...started, events: [] };
    this.#executions.set(name, execution);
    return execution;
  }

  /** Forget an execution that did not begin after all. */
  forget(name: string): void {
    this.#executions.delete(name);
  }

  addEvent(name: string, event: ExecutionEvent): void {
    const events = this.#executions.get(name)?.events;
    if (events !== undefined && events.length < maxEvents) events.push(event);
  }

  end(name: string): void {
    const execution = this.#executions.get(name);
    if (execution === undefined) return;
    execution.stoppedMs ??= Date.now();
    this.#finished.add(name);
    for (const oldest of this.#finished) {
      if (this.#finished.size <= this.#maxFinished) return;
      this.#finished.delete(oldest);
      this.#executions.delete(oldest);
    }
  }

  /** Newest first. */
  newestFirst(): LoggedExecution[] {
    return [...this.#executions.values()].reverse();
  }
}
