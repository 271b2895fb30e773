import { setImmediate } from 'node:timers/promises';
import { ScratchError } from '../errors.ts';
import { type LimbStore, StoreLedger } from './limb-store.ts';
import type { MemoryExtent, StoredBlob } from './stored-blob.ts';

/** Extents start and end at multiples of this: a cache line. */
const alignBytes = 64;
/** Blobs at a time: each may lose a cache line to alignment. */
const mostBlobs = 8192;
/** Bytes zeroed between two turns of the event loop: some milliseconds. */
const zeroingStepBytes = 64 * 2 ** 20;

/**
 * Blobs in one shared buffer of `capacityBytes`, which may exceed what one WASM memory holds. Pages cost nothing until touched; what a blob gives back the
 * next ones take, in as many extents as it needs, so that the memory touched never exceeds the capacity (and half a mebibyte).
 */
export class MemoryStore implements LimbStore {
  readonly #ledger: StoreLedger;
  readonly #buffer: SharedArrayBuffer;
  /** Sorted by offset, none touching the next. */
  #free: MemoryExtent[];
  /** Everything from here on was never used and is zero. */
  #untouchedBytes = 0;

  constructor(capacityBytes: number) {
    this.#ledger = new StoreLedger(capacityBytes);
    const bytes = aligned(capacityBytes) + mostBlobs * alignBytes;
    this.#buffer = reserve(bytes);
    this.#free = [{ offset: 0, bytes }];
  }

  get usedBytes(): number {
    return this.#ledger.usedBytes;
  }

  get peakBytes(): number {
    return this.#ledger.peakBytes;
  }

  async create(_label: string, bytes: number): Promise<StoredBlob> {
    this.#ledger.assertRoom(bytes);
    const extents = this.#take(aligned(bytes));
    const blob = this.#ledger.add({ location: { kind: 'memory', buffer: this.#buffer, extents }, bytes });
    for (const extent of extents) await this.#zero(extent);
    return blob;
  }

  async shrink(blob: StoredBlob, bytes: number): Promise<StoredBlob> {
    if (!this.#ledger.delete(blob) || blob.location.kind !== 'memory') return blob;
    const kept: MemoryExtent[] = [];
    let left = aligned(bytes);
    for (const { offset, bytes: length } of blob.location.extents) {
      const keptBytes = Math.min(left, length);
      if (keptBytes > 0) kept.push({ offset, bytes: keptBytes });
      this.#give({ offset: offset + keptBytes, bytes: length - keptBytes });
      left -= keptBytes;
    }
    return this.#ledger.add({ location: { ...blob.location, extents: kept }, bytes });
  }

  async remove(blob: StoredBlob): Promise<void> {
    if (!this.#ledger.delete(blob) || blob.location.kind !== 'memory') return;
    for (const extent of blob.location.extents) this.#give(extent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Shared memory goes when nobody refers to it.
  }

  /** The lowest free bytes. */
  #take(bytes: number): MemoryExtent[] {
    const extents: MemoryExtent[] = [];
    let left = bytes;
    while (left > 0) {
      const first = this.#free.shift();
      if (first === undefined) {
        for (const extent of extents) this.#give(extent);
        throw new ScratchError(`expected at most ${mostBlobs} blobs in memory, got more`, { code: 'scratch-full' });
      }
      const taken = Math.min(left, first.bytes);
      extents.push({ offset: first.offset, bytes: taken });
      if (taken < first.bytes) this.#free.unshift({ offset: first.offset + taken, bytes: first.bytes - taken });
      left -= taken;
    }
    return extents;
  }

  #give(extent: MemoryExtent): void {
    if (extent.bytes === 0) return;
    const index = this.#free.findIndex(({ offset }) => offset > extent.offset);
    const at = index < 0 ? this.#free.length : index;
    const [before, after] = [this.#free[at - 1], this.#free[at]];
    let { offset } = extent;
    let end = extent.offset + extent.bytes;
    const joinsBefore = before !== undefined && before.offset + before.bytes === offset;
    const joinsAfter = after?.offset === end;
    if (joinsBefore) offset = before.offset;
    if (joinsAfter) end = after.offset + after.bytes;
    const replaced = (joinsBefore ? 1 : 0) + (joinsAfter ? 1 : 0);
    this.#free.splice(joinsBefore ? at - 1 : at, replaced, { offset, bytes: end - offset });
  }

  /** Zeros what an earlier blob left; gives way to the event loop as it goes. */
  async #zero({ offset, bytes }: MemoryExtent): Promise<void> {
    const end = Math.min(offset + bytes, this.#untouchedBytes);
    this.#untouchedBytes = Math.max(this.#untouchedBytes, offset + bytes);
    for (let from = offset; from < end; from += zeroingStepBytes) {
      new Uint8Array(this.#buffer, from, Math.min(zeroingStepBytes, end - from)).fill(0);
      if (from + zeroingStepBytes < end) await setImmediate();
    }
  }
}

function aligned(bytes: number): number {
  return alignBytes * Math.ceil(bytes / alignBytes);
}

function reserve(bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch (cause) {
    throw new ScratchError(`cannot reserve ${bytes} bytes of memory for limbs and residues`, {
      cause,
      code: 'scratch-full',
    });
  }
}
