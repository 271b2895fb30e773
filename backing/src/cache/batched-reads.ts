import { CapacityError } from '../contracts/errors.ts';

export interface BatchedReadsOptions {
  /** Reads that wait for an answer at most; more are refused at once. */
  readonly waitingMax: number;
  /** Different keys read with one command at most. */
  readonly batchKeysMax: number;
}

/** The values of these keys, in their order. */
type ReadAll<Value> = (keys: readonly string[]) => Promise<readonly Value[]>;

interface Batch<Value> {
  readonly keys: string[];
  readonly indexOf: Map<string, number>;
  readonly answered: PromiseWithResolvers<readonly Value[]>;
}

/**
 * Reads that begin in one turn of the event loop, sent together and each key once. A read never joins a batch that was sent before it began, so
 * every answer is as fresh as one asked for alone; requests that arrive at once share one round trip and one value.
 */
export class BatchedReads<Value> {
  readonly #readAll: ReadAll<Value>;
  readonly #options: BatchedReadsOptions;
  #batch: Batch<Value> | undefined;
  #waitingCount = 0;

  constructor(readAll: ReadAll<Value>, options: BatchedReadsOptions) {
    this.#readAll = readAll;
    this.#options = options;
  }

  /** The value of the key; `CapacityError` when too many wait already. A fault reaches every read of its batch. */
  async read(key: string): Promise<Value> {
    const { waitingMax } = this.#options;
    if (this.#waitingCount >= waitingMax) {
      throw new CapacityError(`expected fewer than ${waitingMax} cache reads under way, got as many`);
    }
    this.#waitingCount += 1;
    try {
      const batch = this.#open();
      const index = indexIn(batch, key);
      if (batch.keys.length === this.#options.batchKeysMax) this.#send(batch);
      return (await batch.answered.promise)[index] as Value;
    } finally {
      this.#waitingCount -= 1;
    }
  }

  #open(): Batch<Value> {
    if (this.#batch) return this.#batch;
    const batch: Batch<Value> = { keys: [], indexOf: new Map(), answered: Promise.withResolvers() };
    this.#batch = batch;
    // After everything that has arrived by now was looked at.
    setImmediate(() => this.#send(batch));
    return batch;
  }

  #send(batch: Batch<Value>): void {
    if (this.#batch !== batch) return;
    this.#batch = undefined;
    this.#readAll(batch.keys).then(batch.answered.resolve, batch.answered.reject);
  }
}

function indexIn({ keys, indexOf }: Pick<Batch<unknown>, "keys" | "indexOf">, key: string): number {
  const known = indexOf.get(key);
  if (known !== undefined) return known;
  indexOf.set(key, keys.length);
  return keys.push(key) - 1;
}
