import { type LimbStore, StoreLedger } from './limb-store.ts';
import type { StoredBlob } from './stored-blob.ts';

/** Blobs in shared memory, up to `capacityBytes` in all. */
export class MemoryStore implements LimbStore {
  readonly #ledger: StoreLedger;

  constructor(capacityBytes: number) {
    this.#ledger = new StoreLedger(capacityBytes);
  }

  get usedBytes(): number {
    return this.#ledger.usedBytes;
  }

  get peakBytes(): number {
    return this.#ledger.peakBytes;
  }

  async create(_label: string, bytes: number): Promise<StoredBlob> {
    this.#ledger.assertRoom(bytes);
    return this.#ledger.add({ location: { kind: 'memory', buffer: new SharedArrayBuffer(bytes) }, bytes });
  }

  async shrink(blob: StoredBlob, bytes: number): Promise<StoredBlob> {
    this.#ledger.delete(blob);
    return this.#ledger.add({ location: blob.location, bytes });
  }

  async remove(blob: StoredBlob): Promise<void> {
    this.#ledger.delete(blob);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Shared memory goes when nobody refers to it.
  }
}
