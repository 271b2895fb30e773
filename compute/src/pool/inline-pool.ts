import { KernelError } from '../errors.ts';
import { createMemory, instantiateKernels, type KernelInstance, sharedModule } from '../wasm/bridge.ts';
import { type TaskPool, type TaskReply, taskName, unwrapReply } from './task-pool.ts';

/** A pool without threads for small n: every task runs to its end on the calling thread. */
export class InlinePool implements TaskPool {
  readonly concurrency: number = 1;
  readonly isWarm = true;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  kernels(bytes: number): KernelInstance {
    return instantiateKernels(sharedModule(), createMemory(bytes));
  }

  async run<Result>(workerModule: URL, task: unknown): Promise<Result> {
    this.#signal.throwIfAborted();
    const perform = await loadTask<Result>(workerModule);
    const reply = await perform(task);
    this.#signal.throwIfAborted();
    return unwrapReply(reply, workerModule);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // There is nothing to stop.
  }
}

async function loadTask<Result>(workerModule: URL): Promise<(task: unknown) => Promise<TaskReply<Result>>> {
  try {
    return (await import(workerModule.href)).default;
  } catch (cause) {
    throw new KernelError(`task ${taskName(workerModule)} could not be loaded`, { cause });
  }
}
