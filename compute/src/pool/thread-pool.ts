import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { ComputeError, KernelError } from '../errors.ts';
import { type TaskPool, type TaskPoolOptions, type TaskReply, taskName, unwrapReply } from './task-pool.ts';

/** Attempts a task gets, each on a thread of its own: one more than the first. */
const maxAttempts = 2;
const defaultMaxQueuedTasks = 10_000;

/**
 * Piscina threads for one run. Every thread runs one task at a time; all of them end when the signal aborts or the pool is
 * disposed, within the time V8 takes to interrupt WASM code (a few milliseconds).
 */
export class ThreadPool implements TaskPool {
  readonly concurrency: number;
  readonly #signal: AbortSignal;
  readonly #piscina: Piscina;
  readonly #onAbort = () => void this[Symbol.asyncDispose]();
  /** Rejections of the tasks under way: Piscina forgets waiting tasks when its threads cannot start. */
  readonly #underWay = new Set<(error: unknown) => void>();
  #stopping: Promise<void> | undefined;

  constructor(options: TaskPoolOptions) {
    this.concurrency = options.threads;
    this.#signal = options.signal;
    this.#piscina = new Piscina({
      minThreads: options.threads,
      maxThreads: options.threads,
      maxQueue: options.maxQueuedTasks ?? defaultMaxQueuedTasks,
      concurrentTasksPerWorker: 1,
      recordTiming: false,
    });
    // A thread that died without a task took none with it; but when none is left, waiting tasks would wait for ever.
    this.#piscina.on('error', (error: unknown) => {
      if (this.#piscina.threads.length > 0) return;
      for (const reject of this.#underWay)
        reject(new KernelError('no compute thread could be started', { cause: error }));
    });
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  async run<Result>(workerModule: URL, task: unknown): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      this.#assertRunning();
      try {
        const reply = await this.#attempt<Result>(workerModule, task);
        this.#assertRunning();
        return unwrapReply(reply, workerModule);
      } catch (error) {
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
    this.#piscina.run(task, { filename: fileURLToPath(workerModule) }).then(resolve, reject);
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
    this.#stopping ??= this.#piscina.destroy();
    await this.#stopping;
  }
}
