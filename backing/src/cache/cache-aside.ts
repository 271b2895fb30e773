import type { DigitCache } from './digit-cache.ts';
import { SingleFlight } from './single-flight.ts';

/** Where a cache keeps its bytes; may fail at any time. */
export interface CacheStorage {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, digits: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
  /**
   * Where several processes share the storage: wait until this caller is the one to load the key, or another has loaded it. Bounded:
   * after a while every caller may load. Undefined: load without a turn. Absent where one process has the storage alone.
   */
  takeTurn?(key: string): Promise<LoadTurn | undefined>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export type LoadTurn =
  | { readonly kind: 'loaded'; readonly digits: Uint8Array }
  /** This caller loads; `release` lets the next one. It never rejects. */
  | { readonly kind: 'load'; release(): Promise<void> };

const ownTurn: LoadTurn = { kind: 'load', release: async () => {} };

export interface CacheAsideOptions {
  /** Larger values are not kept. */
  readonly maxValueBytes: number;
  /** Told of each fault of the storage, which the caller of the cache never sees. */
  readonly onFault?: (fault: unknown) => void;
}

/** The rules every digit cache shares, over any storage: bounded values, faults as misses, one load per n at a time. */
export class CacheAside implements DigitCache {
  readonly #storage: CacheStorage;
  readonly #maxValueBytes: number;
  readonly #onFault: (fault: unknown) => void;
  readonly #loads = new SingleFlight<{ readonly digits: Uint8Array | undefined; readonly hit: boolean }>();

  constructor(storage: CacheStorage, options: CacheAsideOptions) {
    this.#storage = storage;
    this.#maxValueBytes = options.maxValueBytes;
    this.#onFault = options.onFault ?? (() => {});
  }

  async get(n: bigint): Promise<Uint8Array | undefined> {
    try {
      return await this.#storage.get(String(n));
    } catch (fault) {
      this.#onFault(fault);
      return undefined;
    }
  }

  async set(n: bigint, digits: Uint8Array): Promise<void> {
    if (!this.accepts(BigInt(digits.byteLength))) return;
    try {
      await this.#storage.set(String(n), digits);
    } catch (fault) {
      this.#onFault(fault);
    }
  }

  async delete(n: bigint): Promise<void> {
    try {
      await this.#storage.delete(String(n));
    } catch (fault) {
      this.#onFault(fault);
    }
  }

  async getOrLoad(
    n: bigint,
    load: () => Promise<Uint8Array | undefined>,
  ): Promise<{ readonly digits: Uint8Array | undefined; readonly hit: boolean }> {
    const cached = await this.get(n);
    if (cached) return { digits: cached, hit: true };
    return await this.#loads.run(String(n), async () => {
      const turn = await this.#takeTurn(n);
      if (turn.kind === 'loaded') return { digits: turn.digits, hit: true };
      try {
        const digits = await load();
        if (digits) await this.set(n, digits);
        return { digits, hit: false };
      } finally {
        await turn.release();
      }
    });
  }

  accepts(bytes: bigint): boolean {
    return bytes <= BigInt(this.#maxValueBytes);
  }

  async ping(): Promise<void> {
    await this.#storage.ping();
  }

  async close(): Promise<void> {
    await this.#storage.close();
  }

  async #takeTurn(n: bigint): Promise<LoadTurn> {
    try {
      return (await this.#storage.takeTurn?.(String(n))) ?? ownTurn;
    } catch (fault) {
      this.#onFault(fault);
      return ownTurn;
    }
  }
}
