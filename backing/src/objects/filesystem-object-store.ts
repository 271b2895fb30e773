import { createHash, randomUUID } from 'node:crypto';
import { access, constants, opendir, rm, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type DigitSink, type DigitSource, FileSink, InputError, type SinkReceipt } from '@factorial/compute';
import { TransientError } from '../contracts/errors.ts';
import { positiveInteger } from '../contracts/positive-integer.ts';
import { makeFolder } from '../open/make-folder.ts';
import { openFile, openFolder, statFile } from './file-access.ts';
import { isFault, translateFileFault } from './file-faults.ts';
import { publishFile, removeEmptyFolders, syncFolder } from './file-publish.ts';
import { FileRangeReader } from './file-range-reader.ts';
import {
  type ByteRange,
  type ObjectChecksum,
  type ObjectStore,
  objectKeyPattern,
  type StoredObject,
} from './object-store.ts';
import { StorageBudget } from './storage-budget.ts';

export interface FilesystemObjectStoreOptions {
  /** Made when missing. One process at a time may write here (the embedded metadata store's lock sees to that). */
  readonly directory: string;
  /** Bytes of objects held at most, beside what the disk has free. Unbounded when absent. */
  readonly maxBytes?: bigint;
  /** Bytes per chunk read. Default 262,144. */
  readonly readChunkBytes?: number;
}

/** Objects as files below `directory/objects`, written in `directory/uploads` and renamed into place when they are whole. */
export function createFilesystemObjectStore(options: FilesystemObjectStoreOptions): ObjectStore {
  return new FilesystemObjectStore(options);
}

class FilesystemObjectStore implements ObjectStore {
  readonly #objects: string;
  readonly #uploads: string;
  readonly #readChunkBytes: number;
  readonly #budget: StorageBudget;
  /** Names in `uploads` that this process is writing now. */
  readonly #writing = new Set<string>();
  #closed = false;

  constructor(options: FilesystemObjectStoreOptions) {
    const directory = resolve(options.directory);
    this.#objects = join(directory, 'objects');
    this.#uploads = join(directory, 'uploads');
    this.#readChunkBytes = positiveInteger('readChunkBytes', options.readChunkBytes ?? 262_144);
    makeFolder(this.#objects);
    makeFolder(this.#uploads);
    this.#budget = new StorageBudget(directory, options.maxBytes, () => this.#walk(this.#objects, ''));
  }

  sink(key: string): DigitSink {
    const path = this.#pathOf(key);
    return { write: (source) => this.#run(() => this.#write(path, source)) };
  }

  async #write(path: string, source: DigitSource): Promise<SinkReceipt> {
    source.signal?.throwIfAborted();
    const reservation = await this.#budget.reserve(source.digitCount);
    const name = randomUUID();
    const upload = join(this.#uploads, name);
    this.#writing.add(name);
    try {
      const { bytes } = await new FileSink(upload).write(source);
      const replacedBytes = (await statFile(path))?.size ?? 0;
      await publishFile(upload, path, this.#objects);
      reservation.keep(BigInt(replacedBytes));
      return { bytes, location: path };
    } catch (fault) {
      reservation.cancel();
      await rm(upload, { force: true });
      throw fault;
    } finally {
      this.#writing.delete(name);
    }
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const path = this.#pathOf(key);
    return await this.#run(async () => {
      const found = await statFile(path);
      return found && { key, size: BigInt(found.size), modifiedAt: found.mtime };
    });
  }

  async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const path = this.#pathOf(key);
    return await this.#run(async () => {
      signal?.throwIfAborted();
      const file = await openFile(key, path);
      try {
        const size = BigInt((await file.stat()).size);
        assertRange(range, size);
        signal?.throwIfAborted();
        const [start, stop] = range ? [range.start, range.end + 1n] : [0n, size];
        return new FileRangeReader(file, Number(start), Number(stop), this.#readChunkBytes, signal);
      } catch (fault) {
        await file.close();
        throw fault;
      }
    });
  }

  async checksum(key: string, signal?: AbortSignal): Promise<ObjectChecksum> {
    const hash = createHash('sha256');
    let size = 0n;
    for await (const chunk of await this.read(key, undefined, signal)) {
      hash.update(chunk);
      size += BigInt(chunk.byteLength);
    }
    return { size, sha256: hash.digest('hex') };
  }

  async presign(): Promise<undefined> {
    return undefined;
  }

  list(): AsyncIterable<StoredObject> {
    return this.#walk(this.#objects, '');
  }

  async *#walk(folder: string, prefix: string): AsyncGenerator<StoredObject> {
    for await (const entry of await openFolder(folder)) {
      const key = `${prefix}${entry.name}`;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        yield* this.#walk(path, `${key}/`);
      } else if (objectKeyPattern.test(key)) {
        const found = await statFile(path);
        if (found) yield { key, size: BigInt(found.size), modifiedAt: found.mtime };
      }
    }
  }

  async remove(key: string): Promise<void> {
    const path = this.#pathOf(key);
    await this.#run(async () => {
      await this.#budget.counted();
      const found = await statFile(path);
      if (!found) return;
      try {
        await unlink(path);
      } catch (fault) {
        if (isFault(fault, 'ENOENT')) return;
        throw fault;
      }
      this.#budget.release(BigInt(found.size));
      removeEmptyFolders(path, this.#objects);
    });
  }

  /** Unfinished files bear no key: the sweep finds them by their age. */
  async abortUploads(key: string): Promise<number> {
    this.#pathOf(key);
    return 0;
  }

  async sweepUnfinished(olderThanMs: number): Promise<number> {
    return await this.#run(async () => {
      let removed = 0;
      for await (const entry of await opendir(this.#uploads)) {
        if (this.#isBeingWritten(entry.name)) continue;
        const path = join(this.#uploads, entry.name);
        const found = await statFile(path);
        if (!found || Date.now() - found.mtimeMs < olderThanMs) continue;
        await rm(path, { force: true });
        removed += 1;
      }
      if (removed > 0) await syncFolder(this.#uploads);
      return removed;
    });
  }

  /** Also under the temporary name that the sink makes of it. */
  #isBeingWritten(entryName: string): boolean {
    for (const name of this.#writing) if (entryName.includes(name)) return true;
    return false;
  }

  /** The machine's own: files are dated by it. */
  async now(): Promise<Date> {
    return new Date();
  }

  async freeBytes(): Promise<bigint> {
    return await this.#run(() => this.#budget.freeBytes());
  }

  async ping(): Promise<void> {
    await this.#run(() => access(this.#uploads, constants.W_OK));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #pathOf(key: string): string {
    if (!objectKeyPattern.test(key))
      throw new InputError(`an object key matching ${objectKeyPattern.source}`, JSON.stringify(key).slice(0, 200));
    return join(this.#objects, ...key.split('/'));
  }

  async #run<Result>(operation: () => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new TransientError('the object store is closed');
    try {
      return await operation();
    } catch (fault) {
      throw translateFileFault(fault);
    }
  }
}

function assertRange(range: ByteRange | undefined, size: bigint): void {
  if (range && !(0n <= range.start && range.start <= range.end && range.end < size)) {
    throw new InputError(`a byte range within 0 … ${size - 1n}`, `${range.start} … ${range.end}`);
  }
}
