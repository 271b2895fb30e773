import { CapacityError } from '../contracts/errors.ts';

export interface BatchedReadsOptions {
  /** Reads that wait for an answer at most; more are refused at once. */
  readonly waitingMax: number;
  /** Different keys read with one command at most. */
  readonly batchKeysMax: number;
  /** Reads in one batch at most. */
  readonly batchReadsMax: number;
}

/** The values of these keys, in their order; an error among them concerns its key alone. */
type ReadAll<Value> = (keys: readonly string[]) => Promise<readonly (Value | Error)[]>;

interface Batch<Value> {
  readonly keys: string[];
  readonly answers: Map<string, Promise<Value>>;
  readonly answered: PromiseWithResolvers<readonly (Value | Error)[]>;
  readCount: number;
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

  /** The value of the key; rejects with `CapacityError` when too many wait already. A fault reaches every read of its batch. */
  read(key: string): Promise<Value> {
    const { waitingMax } = this.#options;
    if (this.#waitingCount >= waitingMax) {
      return Promise.reject(new CapacityError(`expected fewer than ${waitingMax} cache reads under way, got as many`));
    }
    this.#waitingCount += 1;
    const batch = this.#open();
    batch.readCount += 1;
    const answer = batch.answers.get(key) ?? addKey(batch, key);
    const { batchKeysMax, batchReadsMax } = this.#options;
    if (batch.keys.length === batchKeysMax || batch.readCount === batchReadsMax) this.#send(batch);
    return answer;
  }

  #open(): Batch<Value> {
    if (this.#batch) return this.#batch;
    const batch: Batch<Value> = { keys: [], answers: new Map(), answered: Promise.withResolvers(), readCount: 0 };
    this.#batch = batch;
    // After everything that has arrived by now was looked at.
    setImmediate(() => this.#send(batch));
    return batch;
  }

  #send(batch: Batch<Value>): void {
    if (this.#batch !== batch) return;
    this.#batch = undefined;
    const { resolve, reject } = batch.answered;
    const over = (settle: () => void) => {
      this.#waitingCount -= batch.readCount;
      settle();
    };
    this.#readAll(batch.keys).then(
      (values) => over(() => resolve(values)),
      (fault) => over(() => reject(fault)),
    );
  }
}

function addKey<Value>(batch: Batch<Value>, key: string): Promise<Value> {
  const answer = answerOf(batch, batch.keys.push(key) - 1);
  batch.answers.set(key, answer);
  return answer;
}

async function answerOf<Value>(batch: Batch<Value>, index: number): Promise<Value> {
  const value = (await batch.answered.promise)[index];
  if (value instanceof Error) throw value;
  return value as Value;
}
