import { type FileHandle, open } from 'node:fs/promises';
import { ScratchError } from '../errors.ts';

/** Where an array of limbs or residues lies: a plain value that any thread of the process can open. */
export type BlobLocation =
  | { readonly kind: 'scratch'; readonly path: string }
  | { readonly kind: 'memory'; readonly buffer: SharedArrayBuffer };

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
  if (location.kind === 'memory') return new MemoryBlob(new Uint8Array(location.buffer, 0, bytes));
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
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  async read(offsetBytes: number, into: Uint8Array): Promise<void> {
    assertRange(offsetBytes, into.length, this.#bytes.length);
    into.set(this.#bytes.subarray(offsetBytes, offsetBytes + into.length));
  }

  async write(offsetBytes: number, from: Uint8Array): Promise<void> {
    assertRange(offsetBytes, from.length, this.#bytes.length);
    this.#bytes.set(from, offsetBytes);
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
