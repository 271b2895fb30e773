import { fileURLToPath } from 'node:url';
import { ComputeError, KernelError } from '../errors.ts';
import type { KernelInstance } from '../wasm/bridge.ts';
import { keepThreads, takeThreads } from './idle-threads.ts';
import {
  keptMemoryBytes,
  type TaskPool,
  type TaskPoolOptions,
  type TaskReply,
  taskName,
  unwrapReply,
} from './task-pool.ts';
import { ThreadSet } from './thread-set.ts';

/** Attempts a task gets, each on a thread of its own: one more than the first. */
const maxAttempts = 2;

/**
 * Piscina threads for one run. Every thread runs one task at a time; all of them end when the signal aborts or the pool is disposed while a task is under way,
 * within the time V8 takes to interrupt WASM code (a few milliseconds). Threads that did all they were given, and hold no memory but the kept one,
 * wait for the next run of the process for `idleThreadsMs`.
 */
export class ThreadPool implements TaskPool {
  readonly concurrency: number;
  readonly isWarm: boolean;
  readonly #signal: AbortSignal;
  readonly #idleThreadsMs: number;
  readonly #set: ThreadSet;
  readonly #onAbort = () => void this[Symbol.asyncDispose]();
  /** Rejections of the tasks under way: Piscina forgets waiting tasks when its threads cannot start. */
  readonly #underWay = new Set<(error: unknown) => void>();
  /** No thread was lost and no task failed. */
  #isSound = true;
  #stopping: Promise<void> | undefined;

  constructor({ threads, signal, maxQueuedTasks, sharedMemoryBytes, idleThreadsMs = 0 }: TaskPoolOptions) {
    this.concurrency = threads;
    this.#signal = signal;
    const isKept = sharedMemoryBytes !== undefined && sharedMemoryBytes <= keptMemoryBytes;
    const isOrdinary = maxQueuedTasks === undefined;
    this.#idleThreadsMs = isOrdinary && isKept ? idleThreadsMs : 0;
    this.#set = isOrdinary ? takeThreads(threads, isKept) : new ThreadSet(threads, maxQueuedTasks);
    this.isWarm = this.#set.isWarm;
    // A thread that died without a task took none with it; but when none is left, waiting tasks would wait for ever.
    this.#set.onError = (error) => {
      this.#isSound = false;
      if (this.#set.piscina.threads.length > 0) return;
      for (const reject of this.#underWay)
        reject(new KernelError('no compute thread could be started', { cause: error }));
    };
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  kernels(bytes: number): KernelInstance {
    return this.#set.kernels(bytes);
  }

  async run<Result>(workerModule: URL, task: unknown): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      this.#assertRunning();
      try {
        const reply = await this.#attempt<Result>(workerModule, task);
        this.#assertRunning();
        return unwrapReply(reply, workerModule);
      } catch (error) {
        this.#isSound = false;
        this.#assertRunning();
        if (error instanceof ComputeError) throw error;
        if (attempt === maxAttempts) {
          const message = `task ${taskName(workerModule)} lost its thread or found none, ${maxAttempts} times over`;
          throw new KernelError(message, { cause: error });
        }
      }
    }
  }

  async #attempt<Result>(workerModule: URL, task: unknown): Promise<TaskReply<Result>> {
    const { promise, resolve, reject } = Promise.withResolvers<TaskReply<Result>>();
    this.#underWay.add(reject);
    this.#set.piscina.run(task, { filename: fileURLToPath(workerModule) }).then(resolve, reject);
    try {
      return await promise;
    } finally {
      this.#underWay.delete(reject);
    }
  }

  #assertRunning(): void {
    this.#signal.throwIfAborted();
    if (this.#stopping !== undefined) throw new KernelError('the pool of this run is closed');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#stopping ??= this.#stop();
    await this.#stopping;
  }

  #stop(): Promise<void> {
    const isKeepable = this.#isSound && this.#underWay.size === 0 && this.#set.isKeepable;
    return isKeepable && this.#idleThreadsMs > 0 ? keepThreads(this.#set, this.#idleThreadsMs) : this.#set.end();
  }
}
