import { InputError } from '@factorial/compute';
import type { Redis } from 'ioredis';
import { maxTimerMs, positiveInteger } from '../contracts/positive-integer.ts';
import { BatchedReads } from './batched-reads.ts';
import { CacheAside, type CacheStorage } from './cache-aside.ts';
import type { DigitCache } from './digit-cache.ts';
import { FaultLog, type FaultLogger } from './fault-log.ts';
import { RedisConnection } from './redis-connection.ts';
import { evictionProblem } from './redis-eviction-check.ts';
import { takeLoadTurn } from './redis-load-turn.ts';

export interface RedisDigitCacheOptions {
  /** `redis://[user:password@]host:port[/db]`, or `rediss://…` over TLS. */
  readonly url: string;
  /** Larger values are not kept. Default 1 MiB. */
  readonly maxValueBytes?: number;
  /** A value lives this long; 0, the default, keeps it until it is evicted: n! never changes. */
  readonly ttlSeconds?: number;
  /** Before the n of every key. Default `factorial:digits:`. */
  readonly keyPrefix?: string;
  /** Default 1,000. */
  readonly connectTimeoutMs?: number;
  /** A command without an answer for longer is a miss. Default 500. */
  readonly commandTimeoutMs?: number;
  /** Commands, and reads, under way at most; more are misses at once. Default 10,000. */
  readonly pendingMax?: number;
  /** Bytes of values being written at most; more are not kept. Default 64 MiB, and at least `maxValueBytes`. */
  readonly pendingWriteMaxBytes?: number;
  /** Faults in a row after which Redis is left alone. Default 5. */
  readonly breakerFaults?: number;
  /** How long it is left alone before one command tries again. Default 2,000. */
  readonly breakerPauseMs?: number;
  /** A loader in another process that died lets the next one load after this time. Default 5,000. */
  readonly loadLockMs?: number;
  /** Longest wait for another process's load; then the value is loaded here too. Default 2,000. */
  readonly loadWaitMs?: number;
  /** Told of outages, each once, and of a server whose settings do not suit a cache. */
  readonly log?: FaultLogger;
}

const loadPollMs = 25;
/** Values read with one round trip: of a bounded size, so that the answer stays within the bound of a command. */
const readKeysMax = 64;
/** Reads that share a round trip. Smaller batches cost more commands and gained nothing with 50 clients of one value. */
const readsMax = 1_000;
const mebibyte = 2 ** 20;
const digitZero = 0x30;
const digitNine = 0x39;

/**
 * The digit cache in Redis, shared by all processes. Connects at the first use; every fault is a miss, bounded in time, and an
 * outage costs next to nothing while it lasts. The value of a key is the digits as text, nothing else.
 */
export function createRedisDigitCache(options: RedisDigitCacheOptions): DigitCache {
  const scheme = URL.parse(options.url)?.protocol;
  if (scheme !== 'redis:' && scheme !== 'rediss:') {
    throw new InputError('a cache URL that begins with redis:// or rediss://', scheme ?? 'text that is no URL');
  }
  const maxValueBytes = positiveInteger('maxValueBytes', options.maxValueBytes ?? mebibyte);
  const faultLog = new FaultLog(options.log);
  const storage = new RedisStorage(options, maxValueBytes, faultLog);
  return new CacheAside(storage, { maxValueBytes, onFault: (fault) => faultLog.fault(fault) });
}

class RedisStorage implements CacheStorage {
  readonly #connection: RedisConnection;
  readonly #reads: BatchedReads<Uint8Array | undefined>;
  readonly #keyPrefix: string;
  readonly #ttlSeconds: number;
  readonly #pendingWriteMaxBytes: number;
  readonly #turns: { readonly lockMs: number; readonly waitMs: number; readonly pollMs: number };
  #pendingWriteBytes = 0;

  constructor(options: RedisDigitCacheOptions, maxValueBytes: number, faultLog: FaultLog) {
    const bound = (name: string, value: number | undefined, fallback: number): number =>
      positiveInteger(name, value ?? fallback, maxTimerMs);
    this.#keyPrefix = options.keyPrefix ?? 'factorial:digits:';
    this.#ttlSeconds = options.ttlSeconds ? positiveInteger('ttlSeconds', options.ttlSeconds) : 0;
    this.#pendingWriteMaxBytes = Math.max(
      maxValueBytes,
      positiveInteger('pendingWriteMaxBytes', options.pendingWriteMaxBytes ?? 64 * mebibyte),
    );
    this.#turns = {
      lockMs: bound('loadLockMs', options.loadLockMs, 5_000),
      waitMs: bound('loadWaitMs', options.loadWaitMs, 2_000),
      pollMs: loadPollMs,
    };
    const pendingMax = bound('pendingMax', options.pendingMax, 10_000);
    this.#connection = new RedisConnection({
      url: options.url,
      connectTimeoutMs: bound('connectTimeoutMs', options.connectTimeoutMs, 1_000),
      commandTimeoutMs: bound('commandTimeoutMs', options.commandTimeoutMs, 500),
      pendingMax,
      breaker: {
        faultsToOpen: bound('breakerFaults', options.breakerFaults, 5),
        pauseMs: bound('breakerPauseMs', options.breakerPauseMs, 2_000),
        onOpened: (fault) => faultLog.opened(fault),
        onClosed: () => faultLog.closed(),
      },
      onConnected: async (redis) => faultLog.settings(await evictionProblem(redis)),
    });
    this.#reads = new BatchedReads((keys) => this.#readAll(keys), {
      waitingMax: pendingMax,
      batchKeysMax: readKeysMax,
      batchReadsMax: readsMax,
    });
  }

  /** Digits only: what somebody else wrote under the key is a miss, and the next `set` replaces it. */
  get(key: string): Promise<Uint8Array | undefined> {
    return this.#reads.read(key);
  }

  async set(key: string, digits: Uint8Array): Promise<void> {
    if (this.#pendingWriteBytes + digits.byteLength > this.#pendingWriteMaxBytes) return;
    this.#pendingWriteBytes += digits.byteLength;
    try {
      // A copy: the caller may change its array before the bytes are sent.
      const value = Buffer.from(digits);
      await this.#connection.run((redis) => this.#write(redis, this.#valueKey(key), value));
    } finally {
      this.#pendingWriteBytes -= digits.byteLength;
    }
  }

  async delete(key: string): Promise<void> {
    await this.#connection.run((redis) => redis.del(this.#valueKey(key)));
  }

  async takeTurn(key: string) {
    const value = this.#valueKey(key);
    const turn = await takeLoadTurn(this.#connection, { value, lock: `${value}:loading` }, this.#turns);
    if (turn.kind === 'load') return turn;
    const digits = digitsOnly(turn.digits);
    return digits === undefined ? undefined : { kind: 'loaded' as const, digits };
  }

  async ping(): Promise<void> {
    await this.#connection.run((redis) => redis.ping());
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** Commands of their own, written in one piece: a server with hash slots refuses `mget` across them. */
  async #readAll(keys: readonly string[]): Promise<readonly (Uint8Array | Error | undefined)[]> {
    const answers = await this.#connection.run((redis) => {
      redis.stream?.cork();
      try {
        return Promise.all(keys.map((key) => redis.getBuffer(this.#valueKey(key)).catch(refusal)));
      } finally {
        redis.stream?.uncork();
      }
    });
    return answers.map((answer) => {
      if (answer === null) return undefined;
      return answer instanceof Error ? answer : digitsOnly(answer);
    });
  }

  async #write(redis: Redis, key: string, value: Buffer): Promise<unknown> {
    return this.#ttlSeconds === 0 ? await redis.set(key, value) : await redis.set(key, value, 'EX', this.#ttlSeconds);
  }

  /** The braces keep a value and its lock on one node of a cluster. */
  #valueKey(key: string): string {
    return `${this.#keyPrefix}{${key}}`;
  }
}

/** A reply that is an error concerns its own key alone. */
function refusal(fault: unknown): Error {
  if (fault instanceof Error && fault.name === 'ReplyError') return fault;
  throw fault;
}

function digitsOnly(value: Uint8Array): Uint8Array | undefined {
  // By index, on the path of each hit: 2 ms per MiB here, against 12 to 25 with `every` or an iterator.
  for (let index = 0; index < value.length; index++) {
    const byte = value[index] ?? 0;
    if (byte < digitZero || byte > digitNine) return undefined;
  }
  // A copy: the driver's buffer is a window on all that came in with it, and would keep that alive.
  return value.length > 0 ? new Uint8Array(value) : undefined;
}
