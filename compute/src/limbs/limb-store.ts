import { ScratchError } from '../errors.ts';
import type { StoredBlob } from './stored-blob.ts';

/**
 * Where a run keeps the limbs and residues that its threads do not hold. The store hands out blobs and counts their bytes; blobs are read and
 * written by whoever opens them (`openBlob`), on any thread. Disposing removes all that is left.
 */
export interface LimbStore extends AsyncDisposable {
  /** Bytes of all blobs now, and at the worst moment so far. */
  readonly usedBytes: number;
  readonly peakBytes: number;
  /** A blob of zeros. `ScratchError` (`scratch-full`) when it does not fit. */
  create(label: string, bytes: number): Promise<StoredBlob>;
  /** The blob's first `bytes` bytes; what was behind them is given back. Nobody may have it open. */
  shrink(blob: StoredBlob, bytes: number): Promise<StoredBlob>;
  /** Gives the blob's bytes back; nobody may have it open. Removing twice is fine. */
  remove(blob: StoredBlob): Promise<void>;
}

/** Counts the bytes of a store against its capacity. */
export class StoreLedger {
  readonly #capacityBytes: number;
  readonly #blobs = new Set<StoredBlob>();
  #usedBytes = 0;
  #peakBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Throws `ScratchError` when `bytes` more would exceed the capacity. */
  assertRoom(bytes: number): void {
    if (this.#usedBytes + bytes <= this.#capacityBytes) return;
    const message = `expected scratch within ${this.#capacityBytes} bytes, got ${this.#usedBytes} and ${bytes} more`;
    throw new ScratchError(message, { code: 'scratch-full' });
  }

  add(blob: StoredBlob): StoredBlob {
    this.#blobs.add(blob);
    this.#usedBytes += blob.bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#usedBytes);
    return blob;
  }

  /** False when the blob is not there (any more). */
  delete(blob: StoredBlob): boolean {
    if (!this.#blobs.delete(blob)) return false;
    this.#usedBytes -= blob.bytes;
    return true;
  }
}
