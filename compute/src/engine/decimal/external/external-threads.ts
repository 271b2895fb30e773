import { KernelError } from '../../../errors.ts';
import type { TaskPool } from '../../../pool/task-pool.ts';
import { createMemory, reservedBytes } from '../../../wasm/bridge.ts';
import type { ExternalShare, RegionClaim } from './region.ts';

/** The threads of an out-of-core run with their memory: gives every task a region of its own while it runs. */
export class ExternalThreads {
  readonly share: ExternalShare;
  /** Regions, hence tasks at a time. */
  readonly count: number;
  readonly #pool: TaskPool;
  readonly #signal: AbortSignal;
  readonly #free: number[];

  constructor(
    pool: TaskPool,
    signal: AbortSignal,
    count: number,
    regionBytes: number,
    runId: string,
    module: WebAssembly.Module,
  ) {
    this.#pool = pool;
    this.#signal = signal;
    this.count = count;
    this.#free = Array.from({ length: count }, (_, index) => index);
    this.share = { runId, module, memory: createMemory(reservedBytes + count * regionBytes), regionBytes };
  }

  /**
   * Runs one task per item, as many at a time as there are regions, in order of their starts; results in the items' order. The first failure ends
   * it when the tasks under way are over. `prepare` makes a task when its turn comes; `done` takes its result at once.
   */
  async map<Item, Result>(
    workerModule: URL,
    items: readonly Item[],
    prepare: (item: Item, claim: RegionClaim) => unknown | Promise<unknown>,
    done: (result: Result, item: Item) => void | Promise<void>,
  ): Promise<void> {
    let next = 0;
    let failed = false;
    const lane = async (): Promise<void> => {
      while (next < items.length && !failed) {
        const item = items[next++]!;
        const regionIndex = this.#free.pop();
        if (regionIndex === undefined) throw new KernelError('expected a free region, got none');
        try {
          this.#signal.throwIfAborted();
          const task = await prepare(item, { share: this.share, regionIndex });
          await done(await this.#pool.run<Result>(workerModule, task), item);
        } catch (error) {
          failed = true;
          throw error;
        } finally {
          this.#free.push(regionIndex);
        }
      }
    };
    const lanes = Array.from({ length: Math.min(this.count, items.length) }, lane);
    const settled = await Promise.allSettled(lanes);
    for (const one of settled) if (one.status === 'rejected') throw one.reason;
  }
}
