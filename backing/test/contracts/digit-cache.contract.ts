import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DigitCache } from '../../src/cache/digit-cache.ts';

/** A fresh, empty cache that keeps values of at most 1,000 bytes. */
export interface DigitCacheUnderTest {
  readonly cache: DigitCache;
  dispose(): Promise<void>;
}

const text = (digits: string) => new TextEncoder().encode(digits);

export function describeDigitCacheContract(name: string, makeCache: () => Promise<DigitCacheUnderTest>): void {
  describe(`${name} keeps the digit cache contract`, () => {
    let subject: DigitCacheUnderTest;
    let cache: DigitCache;

    beforeEach(async () => {
      subject = await makeCache();
      cache = subject.cache;
      await cache.ping();
    });

    afterEach(async () => {
      await subject.dispose();
    });

    test('what was set is found under its n alone, until it is deleted', async () => {
      await cache.set(5n, text('120'));
      expect(await cache.get(5n)).toEqual(text('120'));
      expect(await cache.get(6n)).toBeUndefined();
      await cache.delete(5n);
      await cache.delete(5n);
      expect(await cache.get(5n)).toBeUndefined();
    });

    test('numbers that are equal as doubles are kept apart', async () => {
      const n = 2n ** 53n;
      await cache.set(n, text('1'));
      await cache.set(n + 1n, text('2'));
      expect(await cache.get(n)).toEqual(text('1'));
      expect(await cache.get(n + 1n)).toEqual(text('2'));
    });

    test('a value of exactly the bound is kept, one byte more is ignored', async () => {
      expect(cache.accepts(1_000n)).toBe(true);
      expect(cache.accepts(1_001n)).toBe(false);
      expect(cache.accepts(10n ** 20n)).toBe(false);
      await cache.set(1n, text('7'.repeat(1_000)));
      await cache.set(2n, text('7'.repeat(1_001)));
      expect((await cache.get(1n))?.byteLength).toBe(1_000);
      expect(await cache.get(2n)).toBeUndefined();
    });

    test('a value is safe from later writes to the array that was set or got', async () => {
      const original = Buffer.from('120');
      await cache.set(5n, original);
      original.fill('9');
      const got = await cache.get(5n);
      expect(Buffer.from(got ?? []).toString()).toBe('120');
      got?.fill(0);
      expect(Buffer.from((await cache.get(5n)) ?? []).toString()).toBe('120');
    });

    test('fifty callers at once share one load, and its result is remembered', async () => {
      let loads = 0;
      const load = async () => {
        loads += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        return text('120');
      };
      const answers = await Promise.all(Array.from({ length: 50 }, () => cache.getOrLoad(5n, load)));
      expect(loads).toBe(1);
      expect(answers.every((answer) => !answer.hit && Buffer.from(answer.digits ?? []).toString() === '120')).toBe(
        true,
      );
      expect(await cache.getOrLoad(5n, load)).toEqual({ digits: text('120'), hit: true });
      expect(loads).toBe(1);
    });

    test('loads of different n run side by side', async () => {
      const order: string[] = [];
      const gate = Promise.withResolvers<undefined>();
      const slow = cache.getOrLoad(1n, async () => {
        await gate.promise;
        order.push('slow');
        return text('1');
      });
      await cache.getOrLoad(2n, async () => {
        order.push('quick');
        return text('2');
      });
      gate.resolve(undefined);
      await slow;
      expect(order).toEqual(['quick', 'slow']);
    });

    test('a failed load reaches every waiter and is not remembered', async () => {
      let loads = 0;
      const fail = async (): Promise<undefined> => {
        loads += 1;
        await new Promise((resolve) => setTimeout(resolve, 10));
        throw new Error('no such object');
      };
      const answers = await Promise.allSettled(Array.from({ length: 5 }, () => cache.getOrLoad(5n, fail)));
      expect(answers.every((answer) => answer.status === 'rejected')).toBe(true);
      expect(loads).toBe(1);
      expect(await cache.getOrLoad(5n, async () => text('120'))).toEqual({ digits: text('120'), hit: false });
    });

    test('a load without a result, or with one too large, is answered and not remembered', async () => {
      expect(await cache.getOrLoad(5n, async () => undefined)).toEqual({ digits: undefined, hit: false });
      const large = text('1'.repeat(1_001));
      expect((await cache.getOrLoad(6n, async () => large)).digits?.byteLength).toBe(1_001);
      expect(await cache.get(5n)).toBeUndefined();
      expect(await cache.get(6n)).toBeUndefined();
    });
  });
}
