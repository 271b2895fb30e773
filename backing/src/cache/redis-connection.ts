import type { Redis } from 'ioredis';
import { withDeadline } from '../contracts/deadline.ts';
import { CapacityError, TransientError } from '../contracts/errors.ts';
import { CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.ts';

export interface RedisConnectionOptions {
  /** `redis://…`, or `rediss://…` over TLS. */
  readonly url: string;
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
  /** Commands under way at most; more are refused at once. */
  readonly pendingMax: number;
  readonly breaker: CircuitBreakerOptions;
  /** Called once on each new connection; the connection waits for it, and a rejection is a fault of the connection. */
  readonly onConnected: (redis: Redis) => Promise<void>;
}

/**
 * One connection to Redis, made when a command needs it and replaced when it failed or did not answer in time. Nothing retries in
 * the background: the circuit breaker decides when a command may try the connection again. The driver is loaded at first use.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  readonly #breaker: CircuitBreaker;
  #connecting: Promise<Redis> | undefined;
  #connected: Redis | undefined;
  #pendingCount = 0;
  #isClosed = false;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.#breaker = new CircuitBreaker(options.breaker);
  }

  /** The answer to a command. A reply that is an error rejects as it is; every other fault is a `TransientError`. */
  async run<Answer>(command: (redis: Redis) => Promise<Answer>): Promise<Answer> {
    if (this.#isClosed) throw new TransientError('the cache is closed');
    if (this.#pendingCount >= this.#options.pendingMax) {
      throw new CapacityError(`expected fewer than ${this.#options.pendingMax} cache commands under way, got as many`);
    }
    this.#pendingCount += 1;
    try {
      const outcome = await this.#breaker.run(() => this.#attempt(command));
      if ('refusal' in outcome) throw outcome.refusal;
      return outcome.answer;
    } finally {
      this.#pendingCount -= 1;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const redis = await this.#connecting?.catch(() => undefined);
    if (redis) cut(redis);
  }

  /** A reply that is an error shows a server that is well: it is no fault to the circuit breaker. */
  async #attempt<Answer>(
    command: (redis: Redis) => Promise<Answer>,
  ): Promise<{ readonly answer: Answer } | { readonly refusal: Error }> {
    this.#connecting ??= this.#connect();
    const connecting = this.#connecting;
    const drop = (): void => {
      if (this.#connecting === connecting) this.#connecting = undefined;
    };
    let redis: Redis;
    try {
      redis = await connecting;
    } catch (fault) {
      drop();
      throw fault;
    }
    try {
      return { answer: await withDeadline(command(redis), this.#options.commandTimeoutMs, 'an answer of Redis') };
    } catch (fault) {
      if (fault instanceof Error && fault.name === 'ReplyError') return { refusal: fault };
      drop();
      // Its other commands fail with it, now instead of one by one.
      cut(redis);
      throw asTransient(fault);
    }
  }

  async #connect(): Promise<Redis> {
    const { Redis: Client } = await import('ioredis');
    const { url, connectTimeoutMs } = this.#options;
    const redis = new Client(url, {
      lazyConnect: true,
      connectTimeout: connectTimeoutMs,
      connectionName: 'factorial',
      retryStrategy: null,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
    });
    let lastError: unknown;
    redis.on('error', (fault) => {
      lastError = fault;
    });
    redis.on('end', () => this.#forget(redis));
    try {
      await withDeadline(redis.connect(), connectTimeoutMs, 'a connection to Redis');
      await withDeadline(this.#options.onConnected(redis), connectTimeoutMs, 'an answer of Redis');
      this.#connected = redis;
      return redis;
    } catch (fault) {
      cut(redis);
      throw asTransient(fault instanceof TransientError ? fault : (lastError ?? fault));
    }
  }

  /** An idle connection was lost: the next command makes a new one. */
  #forget(redis: Redis): void {
    if (this.#connected !== redis) return;
    this.#connected = undefined;
    this.#connecting = undefined;
  }
}

/** At once, without waiting for the other side to agree: it may be gone. */
function cut(redis: Redis): void {
  if (redis.status === 'end' || redis.stream?.destroyed) return;
  redis.disconnect();
  redis.stream?.destroy();
}

function asTransient(fault: unknown): TransientError {
  if (fault instanceof TransientError) return fault;
  const reason =
    fault instanceof Error ? fault.message || String('code' in fault ? fault.code : fault.name) : String(fault);
  return new TransientError(`Redis cannot be reached: ${reason}`, { cause: fault });
}
