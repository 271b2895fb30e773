import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '@factorial/compute';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startRedis } from '../dev/redis.ts';
import type { RunningServer } from '../dev/server.ts';
import { createRedisDigitCache, type RedisDigitCacheOptions } from '../src/cache/redis-digit-cache.ts';
import { describeDigitCacheContract } from './contracts/digit-cache.contract.ts';

const text = (digits: string) => new TextEncoder().encode(digits);

let server: RunningServer | undefined;
let url = '';
let admin: Redis;

beforeAll(async () => {
  const given = process.env.TEST_REDIS_URL;
  if (given) url = given;
  else {
    server = await startRedis({ maxMemoryBytes: 16 * 2 ** 20 });
    url = server.url;
  }
  admin = new Redis(url);
});

afterAll(async () => {
  admin.disconnect();
  await server?.dispose();
});

/** Keys of one test, apart from all others. */
const freshPrefix = () => `test:${randomBytes(6).toString('hex')}:`;

describeDigitCacheContract('the Redis digit cache', async () => {
  const cache = createRedisDigitCache({ url, maxValueBytes: 1_000, keyPrefix: freshPrefix() });
  return { cache, dispose: () => cache.close() };
});

describe('the Redis digit cache', () => {
  const opened: { close(): Promise<void> }[] = [];
  const open = (options: Partial<RedisDigitCacheOptions> = {}) => {
    const cache = createRedisDigitCache({ url, maxValueBytes: 1_000_000, ...options });
    opened.push(cache);
    return cache;
  };

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((cache) => cache.close()));
  });

  test('a value is the digits as text and nothing else, and lives until it is evicted', async () => {
    const keyPrefix = freshPrefix();
    await open({ keyPrefix }).set(25n, text('15511210043330985984000000'));
    expect(await admin.get(`${keyPrefix}{25}`)).toBe('15511210043330985984000000');
    expect(await admin.ttl(`${keyPrefix}{25}`)).toBe(-1);
  });

  test('a time to live can be set', async () => {
    const keyPrefix = freshPrefix();
    await open({ keyPrefix, ttlSeconds: 100 }).set(5n, text('120'));
    expect(await admin.ttl(`${keyPrefix}{5}`)).toBeGreaterThan(90);
  });

  test('a value of a megabyte comes back byte for byte, also to another process', async () => {
    const keyPrefix = freshPrefix();
    const digits = text(Array.from({ length: 1_000_000 }, (_, index) => (index * 7 + (index >> 5)) % 10).join(''));
    await open({ keyPrefix }).set(1n, digits);
    expect(Buffer.compare((await open({ keyPrefix }).get(1n)) ?? new Uint8Array(), digits)).toBe(0);
  });

  test('a hundred and fifty callers through three caches share one load', async () => {
    const keyPrefix = freshPrefix();
    const caches = [open({ keyPrefix }), open({ keyPrefix }), open({ keyPrefix })];
    let loads = 0;
    const load = async () => {
      loads += 1;
      await sleep(150);
      return text('120');
    };
    const answers = await Promise.all(
      Array.from({ length: 150 }, (_, index) => caches[index % 3]?.getOrLoad(5n, load)),
    );
    expect(loads).toBe(1);
    expect(answers.every((answer) => Buffer.from(answer?.digits ?? []).toString() === '120')).toBe(true);
    expect(answers.filter((answer) => answer?.hit)).toHaveLength(100);
    expect(await admin.exists(`${keyPrefix}{5}:loading`)).toBe(0);
  });

  test('a failed load lets another cache load at once', async () => {
    const keyPrefix = freshPrefix();
    const [first, second] = [open({ keyPrefix }), open({ keyPrefix })];
    const loading = Promise.withResolvers<void>();
    const failing = first.getOrLoad(5n, async () => {
      loading.resolve();
      await sleep(50);
      throw new Error('no such object');
    });
    await loading.promise;
    const started = performance.now();
    const waiting = second.getOrLoad(5n, async () => text('120'));
    await expect(failing).rejects.toThrow('no such object');
    expect(await waiting).toEqual({ digits: text('120'), hit: false });
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test('a loader that died holds others up only until its lock runs out', async () => {
    const keyPrefix = freshPrefix();
    await admin.set(`${keyPrefix}{5}:loading`, 'dead', 'PX', 300);
    const started = performance.now();
    expect((await open({ keyPrefix }).getOrLoad(5n, async () => text('120'))).hit).toBe(false);
    const waitedMs = performance.now() - started;
    expect(waitedMs).toBeGreaterThan(200);
    expect(waitedMs).toBeLessThan(1_500);
  });

  test('a loader whose lock ran out leaves the lock of the next one alone', async () => {
    const keyPrefix = freshPrefix();
    const lock = `${keyPrefix}{5}:loading`;
    await open({ keyPrefix, loadLockMs: 50 }).getOrLoad(5n, async () => {
      await sleep(150);
      expect(await admin.exists(lock)).toBe(0);
      await admin.set(lock, 'next');
      return text('120');
    });
    expect(await admin.get(lock)).toBe('next');
  });

  test('a loader that takes too long is not waited for, and its lock is left alone', async () => {
    const keyPrefix = freshPrefix();
    await admin.set(`${keyPrefix}{5}:loading`, 'slow', 'PX', 60_000);
    const started = performance.now();
    const cache = open({ keyPrefix, loadWaitMs: 200 });
    expect(await cache.getOrLoad(5n, async () => text('120'))).toEqual({ digits: text('120'), hit: false });
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(await admin.get(`${keyPrefix}{5}:loading`)).toBe('slow');
  });

  test.each([
    ['a list', (key: string) => admin.rpush(key, '1', '2')],
    ['text that is not digits', (key: string) => admin.set(key, '12x')],
    ['an empty value', (key: string) => admin.set(key, '')],
    ['digits with a line end', (key: string) => admin.set(key, '120\n')],
  ])('%s under a key is a miss, and the next load replaces it', async (_what, spoil) => {
    const keyPrefix = freshPrefix();
    await spoil(`${keyPrefix}{5}`);
    const cache = open({ keyPrefix });
    expect(await cache.get(5n)).toBeUndefined();
    expect(await cache.getOrLoad(5n, async () => text('120'))).toEqual({ digits: text('120'), hit: false });
    expect(await cache.get(5n)).toEqual(text('120'));
  });

  test('whatever Redis evicts or flushes is a miss: every answer stays right', async () => {
    const keyPrefix = freshPrefix();
    const cache = open({ keyPrefix });
    const digitsOf = (n: bigint) => text(`${n}`.padEnd(200_000, '7'));
    let hits = 0;
    for (let round = 0; round < 3; round++) {
      for (let n = 1n; n <= 150n; n++) {
        const { digits, hit } = await cache.getOrLoad(n, async () => digitsOf(n));
        hits += hit ? 1 : 0;
        expect(Buffer.compare(digits ?? new Uint8Array(), digitsOf(n))).toBe(0);
        if (n % 50n === 0n) await admin.flushall();
      }
    }
    for (let n = 1n; n <= 10n; n++) await cache.getOrLoad(n, async () => digitsOf(n));
    for (let n = 1n; n <= 10n; n++) hits += (await cache.getOrLoad(n, async () => digitsOf(n))).hit ? 1 : 0;
    expect(hits).toBeGreaterThanOrEqual(10);
  });

  test.each(['http://localhost', 'localhost:6379', ''])('the URL "%s" is refused', (wrong) => {
    expect(() => createRedisDigitCache({ url: wrong })).toThrow(InputError);
  });

  test.each([{ maxValueBytes: 0 }, { commandTimeoutMs: 1.5 }, { breakerFaults: -1 }, { loadWaitMs: 2 ** 31 }])(
    'the bound %o is refused',
    (wrong) => {
      expect(() => createRedisDigitCache({ url, ...wrong })).toThrow(InputError);
    },
  );
});
