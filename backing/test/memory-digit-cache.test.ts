import { InputError } from '@factorial/compute';
import { describe, expect, test } from 'vitest';
import { createMemoryDigitCache } from '../src/cache/memory-digit-cache.ts';
import { describeDigitCacheContract } from './contracts/digit-cache.contract.ts';

describeDigitCacheContract('the in-process digit cache', async () => {
  const cache = createMemoryDigitCache({ maxBytes: 100_000, maxValueBytes: 1_000 });
  return { cache, dispose: () => cache.close() };
});

describe('the in-process digit cache', () => {
  test('stays within its bytes by dropping the least recently used', async () => {
    const cache = createMemoryDigitCache({ maxBytes: 10_000, maxValueBytes: 1_000 });
    for (let n = 0n; n < 1_000n; n++) {
      await cache.set(n, new Uint8Array(1_000));
      await cache.get(0n);
    }
    const kept: bigint[] = [];
    for (let n = 0n; n < 1_000n; n++) if (await cache.get(n)) kept.push(n);
    expect(kept.length * 1_000).toBeLessThanOrEqual(10_000);
    expect(kept[0]).toBe(0n);
    expect(kept.at(-1)).toBe(999n);
  });

  test('bounds the number of tiny entries too', async () => {
    const cache = createMemoryDigitCache({ maxBytes: 10_000 });
    for (let n = 0n; n < 10_000n; n++) await cache.set(n, new Uint8Array([49]));
    let kept = 0;
    for (let n = 0n; n < 10_000n; n++) if (await cache.get(n)) kept += 1;
    expect(kept).toBeLessThan(100);
  });

  test('keeps a value as large as the whole cache', async () => {
    const cache = createMemoryDigitCache({ maxBytes: 500, maxValueBytes: 1_000 });
    expect(cache.accepts(501n)).toBe(false);
    await cache.set(1n, new Uint8Array(500));
    expect((await cache.get(1n))?.byteLength).toBe(500);
  });

  test.each([0, -1, 1.5, Number.NaN])('refuses a bound of %s bytes', (maxBytes) => {
    expect(() => createMemoryDigitCache({ maxBytes })).toThrow(InputError);
  });
});
