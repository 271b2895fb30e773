import { CorruptObjectError, TransientError } from '../../contracts/errors.ts';

/** A response body: bytes as they arrive, and a way to let go of the connection. */
export interface S3Body extends AsyncIterable<Uint8Array> {
  destroy(): unknown;
}

export interface S3RangeReaderOptions {
  readonly body: S3Body;
  /** First byte of the body. */
  readonly start: number;
  /** One past the last byte wanted. */
  readonly stop: number;
  /** The same object from this byte on. */
  readonly reopen: (start: number) => Promise<S3Body>;
  /** Times it is opened again without a byte in between. */
  readonly maxResumes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes from `start` to `stop`, one chunk per pull. A connection that breaks, or ends too soon, is replaced by one from the next byte
 * on. Owns the connection: lets go of it at the end, on `return`, on a fault, and when the signal aborts, also when iteration never began.
 */
export class S3RangeReader implements AsyncIterableIterator<Uint8Array> {
  readonly #options: S3RangeReaderOptions;
  #body: S3Body;
  #chunks: AsyncIterator<Uint8Array>;
  #position: number;
  #resumes = 0;
  #ended = false;
  #pull: Promise<unknown> = Promise.resolve();

  constructor(options: S3RangeReaderOptions) {
    this.#options = options;
    this.#body = options.body;
    this.#chunks = options.body[Symbol.asyncIterator]();
    this.#position = options.start;
    options.signal?.addEventListener('abort', this.#end, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const pulled = this.#pull.then(() => this.#readChunk());
    this.#pull = pulled.catch(() => {
      // The fault belongs to whoever asked for this chunk; the next pull finds the reading ended.
    });
    return pulled;
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  async #readChunk(): Promise<IteratorResult<Uint8Array, undefined>> {
    const { signal, stop } = this.#options;
    for (;;) {
      signal?.throwIfAborted();
      if (this.#ended || this.#position >= stop) return await this.return();
      let fault: unknown;
      try {
        const { done, value } = await this.#chunks.next();
        signal?.throwIfAborted();
        if (!done) return this.#accept(value);
      } catch (thrown) {
        signal?.throwIfAborted();
        fault = thrown;
      }
      await this.#resume(fault);
    }
  }

  #accept(chunk: Uint8Array): IteratorResult<Uint8Array, undefined> {
    const { stop } = this.#options;
    if (this.#position + chunk.byteLength > stop) {
      this.#end();
      throw new CorruptObjectError(`expected ${stop} bytes, got more: the object was replaced`);
    }
    this.#position += chunk.byteLength;
    this.#resumes = 0;
    if (this.#position === stop) this.#end();
    return { done: false, value: chunk };
  }

  async #resume(fault: unknown): Promise<void> {
    const { stop, maxResumes, reopen, signal } = this.#options;
    this.#body.destroy();
    if (this.#resumes === maxResumes) {
      this.#end();
      const got = `got ${this.#position} of ${stop} bytes`;
      if (fault === undefined) throw new CorruptObjectError(`expected the object to its end, ${got}: it was cut`);
      throw new TransientError(`the object store broke off: ${got}`, { cause: fault });
    }
    this.#resumes += 1;
    try {
      this.#body = await reopen(this.#position);
    } catch (refused) {
      this.#end();
      throw refused;
    }
    if (this.#ended) this.#body.destroy();
    signal?.throwIfAborted();
    this.#chunks = this.#body[Symbol.asyncIterator]();
  }

  readonly #end = (): void => {
    this.#ended = true;
    this.#options.signal?.removeEventListener('abort', this.#end);
    this.#body.destroy();
  };
}
