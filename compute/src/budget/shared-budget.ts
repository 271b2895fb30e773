import { InputError, PlanCapacityError } from '../errors.ts';

/** Bytes that a run takes while it lasts, or that all runs may take together. */
export interface BudgetShare {
  readonly memoryBytes: number;
  readonly scratchBytes: number;
}

/** What one run asks for. */
export interface ShareRequest extends BudgetShare {
  /** May have what is kept for quick runs, and then stands behind nobody who needs more. */
  readonly quick?: boolean;
}

export interface SharedBudgetOptions extends BudgetShare {
  /** Part of the memory that is kept for quick runs; 0 when absent. */
  readonly quickMemoryBytes?: number;
  /** Runs that may wait; one more is refused. 1,000 when absent. */
  readonly maxWaiting?: number;
  /** Runs that may go before one that waits, because they fit and it does not. 16 when absent. */
  readonly maxOvertakes?: number;
}

interface Waiting {
  readonly request: ShareRequest;
  readonly start: (pool: Pool) => void;
  overtakes: number;
}

/** Bytes taken and the bytes there are. */
interface Pool {
  readonly total: BudgetShare;
  memoryBytes: number;
  scratchBytes: number;
}

/**
 * One memory and one scratch for all runs of a process. A run takes what its plan says and gives it back when it ends. One that does not fit waits: those
 * behind it that fit may go first, but only so many of them; then nobody starts before it, so that no run waits for ever. Quick runs have memory of
 * their own and are like any other beyond it.
 */
export class SharedBudget {
  readonly #common: Pool;
  readonly #quick: Pool;
  readonly #maxWaiting: number;
  readonly #maxOvertakes: number;
  readonly #waiting = new Set<Waiting>();

  constructor(options: SharedBudgetOptions) {
    const { memoryBytes, scratchBytes, quickMemoryBytes = 0, maxWaiting = 1000, maxOvertakes = 16 } = options;
    for (const count of [memoryBytes, scratchBytes, quickMemoryBytes, maxWaiting, maxOvertakes]) {
      if (!Number.isSafeInteger(count) || count < 0) throw new InputError('sizes from 0 to 2^53 - 1', `${count}`);
    }
    if (quickMemoryBytes > memoryBytes) {
      throw new InputError(`quickMemoryBytes of at most ${memoryBytes}`, `${quickMemoryBytes}`);
    }
    this.#common = emptyPool(memoryBytes - quickMemoryBytes, scratchBytes);
    this.#quick = emptyPool(quickMemoryBytes, 0);
    this.#maxWaiting = maxWaiting;
    this.#maxOvertakes = maxOvertakes;
  }

  /** What running runs take now. */
  get taken(): BudgetShare {
    return {
      memoryBytes: this.#common.memoryBytes + this.#quick.memoryBytes,
      scratchBytes: this.#common.scratchBytes,
    };
  }

  /** Runs that wait. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a share; dispose it to give it back. `onWait` is called once, with the reason in words, when it has to wait. Rejects with `PlanCapacityError` when
   * it exceeds the total or too many wait, with the signal's reason when that aborts first.
   */
  async acquire(
    request: ShareRequest,
    signal: AbortSignal,
    onWait: (reason: string) => void,
  ): Promise<AsyncDisposable> {
    signal.throwIfAborted();
    this.#assertPossible(request);
    let pool = this.#poolFor(request, this.#waiting);
    if (pool === undefined) {
      if (this.#waiting.size >= this.#maxWaiting) {
        throw new PlanCapacityError(`${this.#maxWaiting} runs wait already`, 'ask again later', undefined);
      }
      const turn = this.#wait(request, signal);
      onWait(this.#reason(request));
      pool = await turn;
    } else this.#take(pool, request, this.#waiting);
    return this.#held(pool, request);
  }

  #held(pool: Pool, { memoryBytes, scratchBytes }: BudgetShare): AsyncDisposable {
    let returned = false;
    return {
      [Symbol.asyncDispose]: async () => {
        if (returned) return;
        returned = true;
        pool.memoryBytes -= memoryBytes;
        pool.scratchBytes -= scratchBytes;
        this.#startWaiting();
      },
    };
  }

  #assertPossible(request: ShareRequest): void {
    const { total } = this.#common;
    if (isWithin(request, total) || (request.quick === true && isWithin(request, this.#quick.total))) return;
    const needs = `needs ${request.memoryBytes} bytes of memory and ${request.scratchBytes} of scratch`;
    const has = `all runs together have ${total.memoryBytes} and ${total.scratchBytes}`;
    throw new PlanCapacityError(`a run ${needs}, ${has}`, 'give the process more, or a run less', undefined);
  }

  /** Where the request may be taken from now, when these stand before it. */
  #poolFor(request: ShareRequest, before: Iterable<Waiting>): Pool | undefined {
    if (request.quick === true && isWithin(request, free(this.#quick))) return this.#quick;
    if (!isWithin(request, free(this.#common))) return undefined;
    for (const { overtakes } of before) if (overtakes >= this.#maxOvertakes) return undefined;
    return this.#common;
  }

  #take(pool: Pool, request: ShareRequest, overtaken: Iterable<Waiting>): void {
    pool.memoryBytes += request.memoryBytes;
    pool.scratchBytes += request.scratchBytes;
    if (pool === this.#common) for (const waiting of overtaken) waiting.overtakes += 1;
  }

  /** Starts, in order, whoever may start now. */
  #startWaiting(): void {
    const staying: Waiting[] = [];
    for (const waiting of this.#waiting) {
      const pool = this.#poolFor(waiting.request, staying);
      if (pool === undefined) staying.push(waiting);
      else {
        this.#waiting.delete(waiting);
        this.#take(pool, waiting.request, staying);
        waiting.start(pool);
      }
    }
  }

  #wait(request: ShareRequest, signal: AbortSignal): Promise<Pool> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(waiting);
        // Whoever stood behind may fit.
        this.#startWaiting();
        reject(signal.reason);
      };
      const start = (pool: Pool) => {
        signal.removeEventListener('abort', onAbort);
        resolve(pool);
      };
      const waiting: Waiting = { request, start, overtakes: 0 };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #reason({ memoryBytes, scratchBytes }: BudgetShare): string {
    const { memoryBytes: freeMemory, scratchBytes: freeScratch } = free(this.#common);
    const scratch = scratchBytes > 0 ? ` and ${mebibytes(scratchBytes)} MiB of scratch` : '';
    const freeScratchToo = scratchBytes > 0 ? ` and ${mebibytes(freeScratch)}` : '';
    const before = this.#waiting.size - 1;
    return `needs ${mebibytes(memoryBytes)} MiB of memory${scratch}, other calculations have left ${mebibytes(freeMemory)}${freeScratchToo}; ${before} wait before it`;
  }
}

function emptyPool(memoryBytes: number, scratchBytes: number): Pool {
  return { total: { memoryBytes, scratchBytes }, memoryBytes: 0, scratchBytes: 0 };
}

function free({ total, memoryBytes, scratchBytes }: Pool): BudgetShare {
  return { memoryBytes: total.memoryBytes - memoryBytes, scratchBytes: total.scratchBytes - scratchBytes };
}

function isWithin(share: BudgetShare, room: BudgetShare): boolean {
  return share.memoryBytes <= room.memoryBytes && share.scratchBytes <= room.scratchBytes;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
