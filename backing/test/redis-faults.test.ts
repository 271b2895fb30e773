import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startRedis } from '../dev/redis.ts';
import type { RunningServer } from '../dev/server.ts';
import { startTcpProxy, type TcpProxy, throughProxy } from '../dev/tcp-proxy.ts';
import type { DigitCache } from '../src/cache/digit-cache.ts';
import { createRedisDigitCache, type RedisDigitCacheOptions } from '../src/cache/redis-digit-cache.ts';
import { TransientError } from '../src/contracts/errors.ts';
import { endWhileSilent } from './fixtures/end-while-silent.ts';

const digits = new TextEncoder().encode('120');
const bounds = { connectTimeoutMs: 400, commandTimeoutMs: 200, breakerFaults: 3, breakerPauseMs: 300 };

describe('the Redis digit cache under faults of its server', () => {
  let server: RunningServer;
  let proxy: TcpProxy;
  let messages: string[];
  const opened: DigitCache[] = [];

  const open = (options: Partial<RedisDigitCacheOptions> = {}): DigitCache => {
    const tell = (details: object, message: string) => void messages.push(`${message} ${JSON.stringify(details)}`);
    const log = { info: tell, warn: tell };
    const cache = createRedisDigitCache({ url: throughProxy(server.url, proxy), ...bounds, log, ...options });
    opened.push(cache);
    return cache;
  };
  const load = async () => digits;
  /** Loads whatever the cache does, and tells how long the answer took. */
  const timedLoad = async (cache: DigitCache, n: bigint): Promise<number> => {
    const started = performance.now();
    expect((await cache.getOrLoad(n, load)).digits).toEqual(digits);
    return performance.now() - started;
  };
  const untilHit = (cache: DigitCache) =>
    expect.poll(async () => (await cache.getOrLoad(5n, load)).hit, { timeout: 5_000, interval: 50 }).toBe(true);

  beforeAll(async () => {
    server = await startRedis();
  });

  beforeEach(async () => {
    messages = [];
    proxy = await startTcpProxy(Number(new URL(server.url).port));
  });

  afterEach(async () => {
    server.resume();
    await Promise.all(opened.splice(0).map((cache) => cache.close()));
    await proxy.close();
  });

  afterAll(async () => {
    await server.dispose();
  });

  test('killed and restarted during use, it is a miss and then a hit again; nobody is failed', async () => {
    const cache = open();
    await cache.set(5n, digits);
    let isOver = false;
    let answers = 0;
    const asking = Array.from({ length: 8 }, async (_, index) => {
      while (!isOver) {
        expect((await cache.getOrLoad(BigInt(100 + index), load)).digits).toEqual(digits);
        answers += 1;
        await sleep(1);
      }
    });
    await sleep(100);
    await server.kill('SIGKILL');
    await sleep(500);
    expect(await cache.get(5n)).toBeUndefined();
    await expect(cache.ping()).rejects.toThrow(TransientError);
    await server.start();
    await untilHit(cache);
    isOver = true;
    await Promise.all(asking);
    expect(answers).toBeGreaterThan(100);
  });

  test('refused at start-up, loads are answered at once and the first minutes are not lost', async () => {
    await proxy.refuse();
    const cache = open();
    expect(await timedLoad(cache, 5n)).toBeLessThan(1_000);
    await proxy.accept();
    await untilHit(cache);
  });

  test('making a cache connects to nothing', async () => {
    open();
    await sleep(50);
    expect(proxy.acceptedCount).toBe(0);
  });

  test('a cut connection costs one miss at most, and idle ones nothing', async () => {
    const cache = open();
    await cache.set(5n, digits);
    for (let round = 0; round < 5; round++) {
      proxy.cut();
      await sleep(30);
      expect(await cache.get(5n)).toEqual(digits);
    }
    expect(messages).toEqual([]);
  });

  test('half-open, a few calls wait for their bound, the rest are not held up, and the healing is noticed', async () => {
    const cache = open();
    await cache.set(5n, digits);
    proxy.stall();
    const first = await Promise.all(Array.from({ length: 20 }, (_, index) => timedLoad(cache, BigInt(200 + index))));
    // A look, a turn, a set and a release, each refused as soon as the circuit is open.
    expect(Math.max(...first)).toBeLessThan(2_000);
    const started = performance.now();
    let misses = 0;
    for (let n = 0; n < 1_000; n++) misses += (await cache.get(5n)) === undefined ? 1 : 0;
    expect(misses).toBe(1_000);
    expect(performance.now() - started).toBeLessThan(1_500);
    proxy.restore();
    await untilHit(cache);
  });

  test('a connection that silently died costs one bounded miss', async () => {
    const cache = open();
    await cache.set(5n, digits);
    proxy.strand();
    expect(await cache.get(5n)).toBeUndefined();
    expect(await cache.get(5n)).toEqual(digits);
  });

  test('a process that closes its cache while the server is silent can end', async () => {
    expect(await endWhileSilent(throughProxy(server.url, proxy), proxy)).toBeLessThan(2_000);
  });

  test('replies that are errors are misses and never open the circuit', async () => {
    const admin = new Redis(server.url);
    await admin.rpush('factorial:digits:{6}', 'not', 'a', 'string');
    const cache = open();
    await cache.set(5n, digits);
    for (let round = 0; round < bounds.breakerFaults * 3; round++) expect(await cache.get(6n)).toBeUndefined();
    expect(await cache.get(5n)).toEqual(digits);
    await admin.del('factorial:digits:{6}');
    admin.disconnect();
  });

  test('stalled for five seconds, no call takes longer than its bounds', async () => {
    const cache = open();
    await cache.set(5n, digits);
    server.pause();
    const until = performance.now() + 5_000;
    let longestMs = 0;
    while (performance.now() < until) {
      longestMs = Math.max(longestMs, await timedLoad(cache, 300n));
      await sleep(20);
    }
    expect(longestMs).toBeLessThan(bounds.connectTimeoutMs * 2 + bounds.commandTimeoutMs * 3 + 500);
    server.resume();
    await untilHit(cache);
  });

  test('an outage fills the log with a few lines however many calls it fails', async () => {
    await proxy.refuse();
    const cache = open();
    for (let n = 0; n < 2_000; n++) await cache.get(5n);
    await sleep(bounds.breakerPauseMs * 3);
    for (let n = 0; n < 2_000; n++) await cache.get(5n);
    expect(messages.length).toBeGreaterThan(0);
    expect(messages.length).toBeLessThanOrEqual(3);
  });

  test('closing is bounded while the server is stalled, and afterwards everything is a miss', async () => {
    const cache = open();
    await cache.set(5n, digits);
    proxy.stall();
    const pending = cache.get(5n);
    const started = performance.now();
    await cache.close();
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(await pending).toBeUndefined();
    expect(await cache.get(5n)).toBeUndefined();
    await cache.set(5n, digits);
    await expect(cache.ping()).rejects.toThrow(TransientError);
    expect((await cache.getOrLoad(5n, load)).hit).toBe(false);
  });

  test('commands and bytes under way are bounded while the server is stalled', async () => {
    const cache = open({ pendingMax: 10, commandTimeoutMs: 1_000, breakerFaults: 1_000 });
    await cache.ping();
    proxy.stall();
    const started = performance.now();
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, async () => {
        await cache.get(5n);
        return performance.now() - started;
      }),
    );
    expect(outcomes.filter((elapsedMs) => elapsedMs < 500)).toHaveLength(90);
    proxy.restore();
  });

  test('values beyond the bytes that may be under way are not kept', async () => {
    const cache = open({ maxValueBytes: 100_000, pendingWriteMaxBytes: 250_000, commandTimeoutMs: 5_000 });
    await cache.ping();
    const value = new Uint8Array(100_000).fill(0x37);
    await Promise.all(Array.from({ length: 10 }, (_, index) => cache.set(BigInt(1_000 + index), value)));
    const kept = await Promise.all(Array.from({ length: 10 }, (_, index) => cache.get(BigInt(1_000 + index))));
    expect(kept.filter((found) => found !== undefined)).toHaveLength(2);
  });

  describe('on a server that is set up otherwise', () => {
    let other: RunningServer;

    beforeAll(async () => {
      other = await startRedis({ maxMemoryBytes: 3 * 2 ** 20, evictionPolicy: 'noeviction' });
    });

    afterAll(async () => {
      await other.dispose();
    });

    test('a full server that refuses writes is a miss, not an outage, and the policy is warned of once', async () => {
      const cache = open({ url: other.url });
      const value = new Uint8Array(500_000).fill(0x37);
      for (let n = 0n; n < 20n; n++) {
        expect((await cache.getOrLoad(n, async () => value)).digits).toEqual(value);
      }
      await cache.ping();
      expect((await cache.getOrLoad(0n, load)).hit).toBe(true);
      expect(messages.filter((message) => message.includes('allkeys-lru, got noeviction'))).toHaveLength(1);
      expect(messages.filter((message) => message.includes('left alone'))).toEqual([]);
    });

    test('a server without a bound on memory is warned of', async () => {
      const admin = new Redis(other.url);
      await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await admin.config('SET', 'maxmemory', '0');
      admin.disconnect();
      await open({ url: other.url }).ping();
      expect(messages.filter((message) => message.includes('expected a maxmemory, got none'))).toHaveLength(1);
    });

    test('a server set up as a cache should be gives no warning', async () => {
      await open().ping();
      expect(messages).toEqual([]);
    });
  });
});
