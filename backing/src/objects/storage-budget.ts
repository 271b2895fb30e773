import { statfs } from 'node:fs/promises';
import { InputError } from '@factorial/compute';
import { CapacityError } from '../contracts/errors.ts';

/** Room promised to one write; ended exactly once by `keep` or `cancel`. */
export interface Reservation {
  /** The write was published, in place of an object of this many bytes. */
  keep(replacedBytes: bigint): void;
  cancel(): void;
}

/**
 * How much a directory may still take: what the disk has free, and `maxBytes` less what is stored; both less what writes under way
 * were promised (on the disk side cautiously: bytes they wrote already count twice). The stored bytes are counted once, at first use, and kept up to date from then on.
 */
export class StorageBudget {
  readonly #directory: string;
  readonly #maxBytes: bigint | undefined;
  readonly #stored: () => AsyncIterable<{ readonly size: bigint }>;
  #counting: Promise<void> | undefined;
  #storedBytes = 0n;
  #reservedBytes = 0n;

  constructor(directory: string, maxBytes: bigint | undefined, stored: () => AsyncIterable<{ readonly size: bigint }>) {
    if (maxBytes !== undefined && maxBytes < 0n) throw new InputError('maxBytes from 0', String(maxBytes));
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#stored = stored;
  }

  async freeBytes(): Promise<bigint> {
    const diskBytes = await this.#measure();
    return this.#freeOf(diskBytes);
  }

  /** `CapacityError` when this many bytes do not fit beside what is stored and promised. */
  async reserve(bytes: bigint): Promise<Reservation> {
    const diskBytes = await this.#measure();
    // No await between judging and promising: two writes never get the same room.
    const freeBytes = this.#freeOf(diskBytes);
    if (bytes > freeBytes) {
      throw new CapacityError(
        `expected ${bytes} bytes free for the object, got ${freeBytes}: remove stored results or raise the limit`,
      );
    }
    this.#reservedBytes += bytes;
    return {
      keep: (replacedBytes) => {
        this.#reservedBytes -= bytes;
        this.#storedBytes += bytes - replacedBytes;
      },
      cancel: () => {
        this.#reservedBytes -= bytes;
      },
    };
  }

  /** Count what is stored, once. Await it before removing an object that `release` will take off the count. */
  async counted(): Promise<void> {
    this.#counting ??= this.#countStored();
    await this.#counting;
  }

  /** An object of this many bytes was removed. */
  release(bytes: bigint): void {
    this.#storedBytes -= bytes;
  }

  async #measure(): Promise<bigint> {
    await this.counted();
    const disk = await statfs(this.#directory, { bigint: true });
    return disk.bavail * disk.bsize;
  }

  #freeOf(diskBytes: bigint): bigint {
    let freeBytes = diskBytes - this.#reservedBytes;
    if (this.#maxBytes !== undefined) {
      const allowedBytes = this.#maxBytes - this.#storedBytes - this.#reservedBytes;
      if (allowedBytes < freeBytes) freeBytes = allowedBytes;
    }
    return freeBytes > 0n ? freeBytes : 0n;
  }

  async #countStored(): Promise<void> {
    for await (const object of this.#stored()) this.#storedBytes += object.size;
  }
}
