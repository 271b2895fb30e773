import { CapacityError } from '../../contracts/errors.ts';

/**
 * What a bucket may still take under `maxBytes`. Other processes write there too, so what is stored is counted anew when the count is older
 * than `maxAgeMs`, and kept up to date with this process's own writes in between. Approximate by what others write meanwhile.
 */
export class S3Usage {
  readonly #maxBytes: bigint;
  readonly #maxAgeMs: number;
  readonly #stored: () => AsyncIterable<{ readonly size: bigint }>;
  #counting: Promise<void> | undefined;
  #countedAt = Number.NEGATIVE_INFINITY;
  #storedBytes = 0n;
  #reservedBytes = 0n;

  constructor(maxBytes: bigint, maxAgeMs: number, stored: () => AsyncIterable<{ readonly size: bigint }>) {
    this.#maxBytes = maxBytes;
    this.#maxAgeMs = maxAgeMs;
    this.#stored = stored;
  }

  async freeBytes(): Promise<bigint> {
    await this.#count();
    const free = this.#maxBytes - this.#storedBytes - this.#reservedBytes;
    return free > 0n ? free : 0n;
  }

  /** Promise room for one write; `CapacityError` when there is none. End it by `settle`, with what was stored. */
  async reserve(bytes: bigint): Promise<{ settle(storedBytes: bigint): void }> {
    await this.#count();
    const free = this.#maxBytes - this.#storedBytes - this.#reservedBytes;
    if (bytes > free) {
      throw new CapacityError(
        `expected ${bytes} bytes free for the object, got ${free > 0n ? free : 0n}: remove stored results or raise the limit`,
      );
    }
    this.#reservedBytes += bytes;
    return {
      settle: (storedBytes) => {
        this.#reservedBytes -= bytes;
        this.#storedBytes += storedBytes;
      },
    };
  }

  /** An object of this many bytes was removed. */
  release(bytes: bigint): void {
    this.#storedBytes -= bytes;
    if (this.#storedBytes < 0n) this.#storedBytes = 0n;
  }

  async #count(): Promise<void> {
    if (performance.now() - this.#countedAt < this.#maxAgeMs) return;
    this.#counting ??= this.#countStored().finally(() => {
      this.#counting = undefined;
    });
    await this.#counting;
  }

  async #countStored(): Promise<void> {
    let bytes = 0n;
    for await (const object of this.#stored()) bytes += object.size;
    this.#storedBytes = bytes;
    this.#countedAt = performance.now();
  }
}
