import type { MetadataStore } from '@factorial/backing';
import type { FastifyBaseLogger } from 'fastify';

const flushIntervalMs = 5_000;
/** Different n noted between two writes at most; reads of more are not recorded. Twice as many as the store takes at once. */
const notedMax = 2_000;
const batchMax = 1_000;

/**
 * Records which stored results were read, for whoever removes the least recently read. Hits of the cache count too, so reads are
 * gathered and written together every few seconds; a fault costs nothing but a note.
 */
export class ReadNotes {
  readonly #metadata: Pick<MetadataStore, 'touchReads'>;
  readonly #log: FastifyBaseLogger;
  readonly #numbers = new Set<bigint>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(metadata: Pick<MetadataStore, 'touchReads'>, log: FastifyBaseLogger) {
    this.#metadata = metadata;
    this.#log = log;
  }

  /** n was read now. Not waited for. */
  note(n: bigint): void {
    if (this.#numbers.size >= notedMax) return;
    this.#numbers.add(n);
    this.#timer ??= setTimeout(() => void this.flush(), flushIntervalMs).unref();
  }

  /** Write what was noted until now. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const numbers = [...this.#numbers].sort((a, b) => (a < b ? -1 : 1));
    this.#numbers.clear();
    this.#writing = this.#writing.then(() => this.#write(numbers));
    await this.#writing;
  }

  async #write(numbers: readonly bigint[]): Promise<void> {
    try {
      for (let start = 0; start < numbers.length; start += batchMax) {
        await this.#metadata.touchReads(numbers.slice(start, start + batchMax));
      }
    } catch (error) {
      this.#log.warn({ err: error, count: numbers.length }, 'reads not recorded');
    }
  }
}
