import { LRUCache } from 'lru-cache';
import { positiveInteger } from '../contracts/positive-integer.ts';
import { CacheAside, type CacheStorage } from './cache-aside.ts';
import type { DigitCache } from './digit-cache.ts';

export interface MemoryDigitCacheOptions {
  /** Bytes of digits kept at most; the least recently used go first. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Larger values are not kept. Default 1 MiB, and never more than `maxBytes`. */
  readonly maxValueBytes?: number;
}

const mebibyte = 2 ** 20;
/** What an entry costs beside its digits, roughly: key, buffer and list node. Bounds the number of tiny entries. */
const entryOverheadBytes = 200;

/** The digit cache inside this process: an LRU bounded in bytes. Losing the process loses the cache. */
export function createMemoryDigitCache(options: MemoryDigitCacheOptions = {}): DigitCache {
  const maxBytes = positiveInteger('maxBytes', options.maxBytes ?? 64 * mebibyte);
  const maxValueBytes = positiveInteger('maxValueBytes', options.maxValueBytes ?? mebibyte);
  return new CacheAside(memoryStorage(maxBytes), { maxValueBytes: Math.min(maxValueBytes, maxBytes) });
}

function memoryStorage(maxBytes: number): CacheStorage {
  const entries = new LRUCache<string, Uint8Array>({
    maxSize: maxBytes + entryOverheadBytes,
    sizeCalculation: (digits) => digits.byteLength + entryOverheadBytes,
  });
  return {
    get: async (key) => copyOf(entries.get(key)),
    // A copy on the way in and out: neither a caller's later writes nor a view's larger buffer get into the cache.
    set: async (key, digits) => void entries.set(key, new Uint8Array(digits)),
    delete: async (key) => void entries.delete(key),
    ping: async () => {},
    close: async () => entries.clear(),
  };
}

function copyOf(digits: Uint8Array | undefined): Uint8Array | undefined {
  return digits && new Uint8Array(digits);
}
