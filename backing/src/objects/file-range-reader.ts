import type { FileHandle } from 'node:fs/promises';
import { CorruptObjectError } from '../contracts/errors.ts';
import { translateFileFault } from './file-faults.ts';

/**
 * The bytes from `start` (inclusive) to `stop` (exclusive) of an open file, one chunk per pull. Owns the file: closes it at the end, on
 * `return`, on a fault, and when the signal aborts, also when iteration never began. A chunk belongs to the caller.
 */
export class FileRangeReader implements AsyncIterableIterator<Uint8Array> {
  readonly #file: FileHandle;
  readonly #stop: number;
  readonly #chunkBytes: number;
  readonly #signal: AbortSignal | undefined;
  #position: number;
  #pull: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(file: FileHandle, start: number, stop: number, chunkBytes: number, signal?: AbortSignal) {
    this.#file = file;
    this.#position = start;
    this.#stop = stop;
    this.#chunkBytes = chunkBytes;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const pulled = this.#pull.then(() => this.#readChunk());
    this.#pull = pulled.catch(() => {
      // The fault belongs to whoever asked for this chunk; the next pull finds the file closed.
    });
    return pulled;
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#close();
    return { done: true, value: undefined };
  }

  async #readChunk(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#signal?.throwIfAborted();
    if (this.#closing || this.#position >= this.#stop) return await this.return();
    try {
      const chunk = new Uint8Array(Math.min(this.#chunkBytes, this.#stop - this.#position));
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.byteLength, this.#position);
      this.#signal?.throwIfAborted();
      if (bytesRead === 0)
        throw new CorruptObjectError(`expected ${this.#stop} bytes, got ${this.#position}: the object was cut`);
      this.#position += bytesRead;
      return { done: false, value: chunk.subarray(0, bytesRead) };
    } catch (fault) {
      await this.#close();
      throw translateFileFault(fault);
    }
  }

  readonly #onAbort = (): void => {
    void this.#close();
  };

  #close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#closing ??= this.#file.close();
    return this.#closing;
  }
}
