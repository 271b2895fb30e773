import { KernelError, ScratchError, SourceError } from '../errors.ts';
import type { KernelInstance } from '../wasm/bridge.ts';

/** What a task function came to. Failures travel as values, so that a rejected task means a lost thread. */
export type TaskReply<Result> = { readonly value: Result } | { readonly failure: string; readonly code?: string };

/** Bytes of the memory that threads may keep for their next run; what was never touched of it takes none. n = 1,500,000 takes 24 MiB. */
export const keptMemoryBytes = 32 * 2 ** 20;

export interface TaskPoolOptions {
  /** Threads to start; 0 = tasks run on the calling thread, one after the other. */
  readonly threads: number;
  /** When it aborts, every thread is stopped and every task rejects with its reason. */
  readonly signal: AbortSignal;
  /** Bound on tasks that wait for a thread. */
  readonly maxQueuedTasks?: number;
  /**
   * Bytes of the one memory that the threads will share (`kernels`), when they are to hold no other. Up to `keptMemoryBytes`, threads that wait are taken,
   * and these may wait afterwards; above, and when absent, the threads are new and end.
   */
  readonly sharedMemoryBytes?: number | undefined;
  /** Time for which the threads may wait for the next pool, once this one is disposed without a task under way; 0 = they end, and so when absent. */
  readonly idleThreadsMs?: number;
}

/**
 * Runs tasks of worker modules. A worker module's default export is made by `asTask`; its argument and value must survive
 * structured cloning. A task must be repeatable: when its thread dies it is run once more on another one, and when that dies
 * too, `run` rejects with `KernelError`. A task's own failure is a `KernelError` at once.
 */
export interface TaskPool extends AsyncDisposable {
  /** Tasks that can make headway at the same time, at least 1. */
  readonly concurrency: number;
  /** Whether the threads are up already: they were left by a run before. */
  readonly isWarm: boolean;
  /**
   * Kernels over a shared memory of at least so many bytes for this run, whose threads need none of their own: a small one stays with the threads
   * for the next run. Its content is whatever a run before left. To be called once.
   */
  kernels(bytes: number): KernelInstance;
  /** Run the worker module at this address (a built `.js` file) with one argument. */
  run<Result>(workerModule: URL, task: unknown): Promise<Result>;
}

/** The value of a task, or the `KernelError` or `ScratchError` it stands for. */
export function unwrapReply<Result>(reply: TaskReply<Result>, workerModule: URL): Result {
  if ('value' in reply) return reply.value;
  const { failure, code } = reply;
  if (code === 'scratch-full' || code === 'scratch-failed') throw new ScratchError(failure, { code });
  if (code === 'source-wrong') throw new SourceError(failure);
  const message = `task ${taskName(workerModule)} failed: ${failure}`;
  throw new KernelError(message, code === 'verification-failed' ? { code } : {});
}

/** A worker module's short name for messages. */
export function taskName(workerModule: URL): string {
  return workerModule.pathname.slice(workerModule.pathname.lastIndexOf('/') + 1);
}
