import { InputError, PlanCapacityError } from '../errors.ts';

/** Bytes that a run takes while it lasts, or that all runs may take together. */
export interface BudgetShare {
  readonly memoryBytes: number;
  readonly scratchBytes: number;
}

export interface SharedBudgetOptions extends BudgetShare {
  /** Runs that may wait; one more is refused. 1,000 when absent. */
  readonly maxWaiting?: number;
}

interface Waiting {
  readonly share: BudgetShare;
  readonly start: () => void;
}

/**
 * One memory and one scratch for all runs of a process. A run takes what its plan says and gives it back when it ends; one that does not fit waits its
 * turn, in order of arrival, so that no large run is overtaken for ever.
 */
export class SharedBudget {
  readonly #total: BudgetShare;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<Waiting>();
  #memoryBytes = 0;
  #scratchBytes = 0;

  constructor({ memoryBytes, scratchBytes, maxWaiting = 1000 }: SharedBudgetOptions) {
    for (const bytes of [memoryBytes, scratchBytes, maxWaiting]) {
      if (!Number.isSafeInteger(bytes) || bytes < 0) throw new InputError('sizes from 0 to 2^53 - 1', `${bytes}`);
    }
    this.#total = { memoryBytes, scratchBytes };
    this.#maxWaiting = maxWaiting;
  }

  /** What running runs take now. */
  get taken(): BudgetShare {
    return { memoryBytes: this.#memoryBytes, scratchBytes: this.#scratchBytes };
  }

  /** Runs that wait. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a share; dispose it to give it back. `onWait` is called when it has to wait. Rejects with `PlanCapacityError` when it exceeds the total
   * or too many wait, with the signal's reason when that aborts first.
   */
  async acquire(share: BudgetShare, signal: AbortSignal, onWait: () => void): Promise<AsyncDisposable> {
    signal.throwIfAborted();
    if (share.memoryBytes > this.#total.memoryBytes || share.scratchBytes > this.#total.scratchBytes) {
      const needs = `needs ${share.memoryBytes} bytes of memory and ${share.scratchBytes} of scratch`;
      const has = `all runs together have ${this.#total.memoryBytes} and ${this.#total.scratchBytes}`;
      throw new PlanCapacityError(`a run ${needs}, ${has}`, 'give the process more, or a run less', undefined);
    }
    if (this.#waiting.size > 0 || !this.#fits(share)) {
      if (this.#waiting.size >= this.#maxWaiting) {
        throw new PlanCapacityError(`${this.#maxWaiting} runs wait already`, 'ask again later', undefined);
      }
      onWait();
      await this.#wait(share, signal);
    } else this.#take(share);
    let returned = false;
    return {
      [Symbol.asyncDispose]: async () => {
        if (!returned) this.#give(share);
        returned = true;
      },
    };
  }

  #fits(share: BudgetShare): boolean {
    return (
      this.#memoryBytes + share.memoryBytes <= this.#total.memoryBytes &&
      this.#scratchBytes + share.scratchBytes <= this.#total.scratchBytes
    );
  }

  #take(share: BudgetShare): void {
    this.#memoryBytes += share.memoryBytes;
    this.#scratchBytes += share.scratchBytes;
  }

  #give(share: BudgetShare): void {
    this.#memoryBytes -= share.memoryBytes;
    this.#scratchBytes -= share.scratchBytes;
    this.#startWaiting();
  }

  /** Starts whoever is first, while there is room. */
  #startWaiting(): void {
    for (const waiting of this.#waiting) {
      if (!this.#fits(waiting.share)) return;
      this.#waiting.delete(waiting);
      this.#take(waiting.share);
      waiting.start();
    }
  }

  #wait(share: BudgetShare, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(waiting);
        // Whoever stood behind may fit.
        this.#startWaiting();
        reject(signal.reason);
      };
      const start = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const waiting: Waiting = { share, start };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
