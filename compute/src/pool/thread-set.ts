import { Piscina } from 'piscina';
import { createMemory, instantiateKernels, type KernelInstance, sharedModule } from '../wasm/bridge.ts';
import { keptMemoryBytes } from './task-pool.ts';

/**
 * Piscina threads with the memory they share: of one run at a time, and of the next one when they are kept. Without a run they do not hold the process
 * back from ending.
 */
export class ThreadSet {
  readonly threads: number;
  /** Whether the threads have worked for a run before: they are up. */
  isWarm = false;
  readonly piscina: Piscina;
  /** Called when a thread died without a task. */
  onError: ((error: unknown) => void) | undefined;
  #kernels: KernelInstance | undefined;
  #isKeepable = false;

  constructor(threads: number, maxQueuedTasks: number) {
    this.threads = threads;
    this.piscina = new Piscina({
      minThreads: threads,
      maxThreads: threads,
      maxQueue: maxQueuedTasks,
      concurrentTasksPerWorker: 1,
      recordTiming: false,
    });
    this.piscina.on('error', (error: unknown) => this.onError?.(error));
  }

  /** Whether the threads hold nothing but the memory that may be kept. */
  get isKeepable(): boolean {
    return this.#isKeepable;
  }

  /** Kernels over a memory of at least so many bytes: the kept one where it does. What a run before left in it is still there. */
  kernels(bytes: number): KernelInstance {
    this.#isKeepable = bytes <= keptMemoryBytes;
    if (!this.#isKeepable) return instantiateKernels(sharedModule(), createMemory(bytes));
    this.#kernels ??= instantiateKernels(sharedModule(), createMemory(keptMemoryBytes));
    return this.#kernels;
  }

  /** Ends every thread, whatever it does. */
  async end(): Promise<void> {
    this.#kernels = undefined;
    await this.piscina.destroy();
  }
}
