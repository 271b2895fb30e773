import { expect, test } from 'vitest';
import { CacheAside, type CacheStorage } from './cache-aside.ts';

/** A storage whose every call fails, as a cache server that went away. */
const brokenStorage: CacheStorage = {
  get: () => Promise.reject(new Error('connection refused')),
  set: () => Promise.reject(new Error('connection refused')),
  delete: () => Promise.reject(new Error('connection refused')),
  ping: () => Promise.reject(new Error('connection refused')),
  close: async () => {},
};

test('a fault of the storage is a miss, reported, and never an error', async () => {
  const faults: unknown[] = [];
  const cache = new CacheAside(brokenStorage, { maxValueBytes: 10, onFault: (fault) => faults.push(fault) });
  const digits = new Uint8Array([49]);
  expect(await cache.get(1n)).toBeUndefined();
  await cache.set(1n, digits);
  await cache.delete(1n);
  expect(await cache.getOrLoad(1n, async () => digits)).toEqual({ digits, hit: false });
  expect(faults).toHaveLength(5);
  await expect(cache.ping()).rejects.toThrow('connection refused');
});
