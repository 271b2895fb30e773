import { type FileHandle, open } from 'node:fs/promises';
import { ScratchError } from '../errors.ts';

/** A run of bytes in a store's shared buffer. */
export interface MemoryExtent {
  readonly offset: number;
  readonly bytes: number;
}

/** Where an array of limbs or residues lies: a plain value that any thread of the process can open. */
export type BlobLocation =
  | { readonly kind: 'scratch'; readonly path: string }
  | { readonly kind: 'memory'; readonly buffer: SharedArrayBuffer; readonly extents: readonly MemoryExtent[] };

/** An array in a `LimbStore`, of a fixed length. What was never written reads as zeros. */
export interface StoredBlob {
  readonly location: BlobLocation;
  readonly bytes: number;
}

/** A blob as one thread reads and writes it. Ranges must lie within the blob; a short file is a `ScratchError`. */
export interface OpenBlob extends AsyncDisposable {
  read(offsetBytes: number, into: Uint8Array): Promise<void>;
  write(offsetBytes: number, from: Uint8Array): Promise<void>;
}

/** Opens a blob on this thread; dispose it. */
export async function openBlob(blob: StoredBlob): Promise<OpenBlob> {
  const { location, bytes } = blob;
  if (location.kind === 'memory') return new MemoryBlob(location.buffer, location.extents, bytes);
  try {
    return new ScratchBlob(await open(location.path, 'r+'), bytes);
  } catch (error) {
    throw translateScratchError(error, 'open');
  }
}

/** A system error of a scratch file as `ScratchError`; anything else unchanged. */
export function translateScratchError(error: unknown, action: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error;
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  const message = full ? 'no space left for scratch files' : `cannot ${action} a scratch file`;
  return new ScratchError(`${message}: ${error.message}`, {
    cause: error,
    code: full ? 'scratch-full' : 'scratch-failed',
  });
}

class MemoryBlob implements OpenBlob {
  readonly #buffer: SharedArrayBuffer;
  readonly #extents: readonly MemoryExtent[];
  readonly #bytes: number;

  constructor(buffer: SharedArrayBuffer, extents: readonly MemoryExtent[], bytes: number) {
    this.#buffer = buffer;
    this.#extents = extents;
    this.#bytes = bytes;
  }

  async read(offsetBytes: number, into: Uint8Array): Promise<void> {
    for (const { part, from, to } of this.#parts(offsetBytes, into.length)) into.subarray(from, to).set(part);
  }

  async write(offsetBytes: number, from: Uint8Array): Promise<void> {
    for (const { part, from: start, to } of this.#parts(offsetBytes, from.length)) part.set(from.subarray(start, to));
  }

  /** The pieces of memory that a range of the blob is, in order, and where each lies within the range. */
  *#parts(offsetBytes: number, length: number): Generator<{ part: Uint8Array; from: number; to: number }> {
    assertRange(offsetBytes, length, this.#bytes);
    let start = -offsetBytes;
    for (const { offset, bytes } of this.#extents) {
      const [from, to] = [Math.max(0, start), Math.min(length, start + bytes)];
      if (from < to) yield { part: new Uint8Array(this.#buffer, offset + from - start, to - from), from, to };
      start += bytes;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The memory goes when nobody refers to it.
  }
}

class ScratchBlob implements OpenBlob {
  readonly #file: FileHandle;
  readonly #bytes: number;

  constructor(file: FileHandle, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
  }

  async read(offsetBytes: number, into: Uint8Array): Promise<void> {
    assertRange(offsetBytes, into.length, this.#bytes);
    try {
      for (let done = 0; done < into.length; ) {
        const { bytesRead } = await this.#file.read(into, done, into.length - done, offsetBytes + done);
        if (bytesRead === 0) throw new ScratchError(`a scratch file of ${this.#bytes} bytes ends too early`);
        done += bytesRead;
      }
    } catch (error) {
      throw translateScratchError(error, 'read');
    }
  }

  async write(offsetBytes: number, from: Uint8Array): Promise<void> {
    assertRange(offsetBytes, from.length, this.#bytes);
    try {
      for (let done = 0; done < from.length; ) {
        done += (await this.#file.write(from, done, from.length - done, offsetBytes + done)).bytesWritten;
      }
    } catch (error) {
      throw translateScratchError(error, 'write');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

function assertRange(offset: number, length: number, bytes: number): void {
  if (offset >= 0 && offset + length <= bytes) return;
  throw new ScratchError(`expected a range within ${bytes} bytes, got ${length} at ${offset}`);
}
