import { KernelError } from '../errors.ts';
import { type TaskPool, type TaskReply, taskName, unwrapReply } from './task-pool.ts';

/** A pool without threads for small n: every task runs to its end on the calling thread. */
export class InlinePool implements TaskPool {
  readonly concurrency = 1;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async run<Result>(workerModule: URL, task: unknown): Promise<Result> {
    this.#signal.throwIfAborted();
    const module = (await import(workerModule.href)) as { default?: (task: unknown) => Promise<TaskReply<Result>> };
    if (module.default === undefined) throw new KernelError(`${taskName(workerModule)} has no default export`);
    const reply = await module.default(task);
    this.#signal.throwIfAborted();
    return unwrapReply(reply, workerModule);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // There is nothing to stop.
  }
}
