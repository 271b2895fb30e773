import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { ApiOptionsInput } from '@factorial/api';
import type { Settings } from '@factorial/backing';
import type { WorkerOptions } from '@factorial/worker';
import { laneBudgets } from './lane-budgets.ts';

const sweepMaxRows = 5_000;
/** Far below the broker's consumer timeout, far above what a run that ends soon leaves to wait. */
const turnWaitMs = 60_000;

const ms = (seconds: number): number => Math.round(seconds * 1000);

/** What one stream of stored digits brings, about: low rather than high, so that starting from them is never slower than computing. */
function storedBytesPerSecond({ S3_BUCKET }: Settings): number {
  return S3_BUCKET === undefined ? 400e6 : 80e6;
}

/** The API's options from the settings. */
export function apiOptions(settings: Settings): ApiOptionsInput {
  const lanes = laneBudgets(settings);
  return Object.freeze({
    budget: lanes['small.long'],
    quickBudget: lanes['small.quick'],
    maxNumber: settings.MAX_NUMBER,
    largeFrom: settings.LARGE_FROM,
    tinyMaxNumber: settings.TINY_MAX_NUMBER,
    quickMaxSeconds: settings.QUICK_MAX_SECONDS,
    storedBytesPerSecond: storedBytesPerSecond(settings),
    presignMinBytes: settings.PRESIGN_MIN_BYTES === undefined ? undefined : BigInt(settings.PRESIGN_MIN_BYTES),
    presignTtlSeconds: settings.PRESIGN_TTL_SECONDS,
    jsonMaxDigits: settings.JSON_MAX_DIGITS,
    bodyMaxBytes: settings.BODY_MAX_BYTES,
    rateLimitPerMinute: settings.RATE_LIMIT_PER_MINUTE,
    unfinishedMaxPerClient: settings.UNFINISHED_MAX_PER_CLIENT,
    apiKeys: settings.API_KEYS,
    objectsMaxBytes: BigInt(settings.OBJECTS_MAX_BYTES),
    trustProxy: settings.TRUSTED_PROXIES.length === 0 ? false : settings.TRUSTED_PROXIES,
    retryAfterMaxSeconds: settings.RETRY_AFTER_MAX_SECONDS,
    listMaxLimit: settings.LIST_MAX_LIMIT,
    listDefaultLimit: Math.min(20, settings.LIST_MAX_LIMIT),
    eventMaxConnections: settings.EVENTS_MAX_CONNECTIONS,
    closeDrainMs: ms(settings.DRAIN_SECONDS),
    requestTimeoutMs: ms(settings.REQUEST_TIMEOUT_SECONDS),
    maxConnections: settings.CONNECTIONS_MAX,
    connectionIdleMs: ms(settings.CONNECTION_IDLE_SECONDS),
    readinessTimeoutMs: ms(settings.READINESS_TIMEOUT_SECONDS),
  });
}

/** The worker's options from the settings. */
export function workerOptions(settings: Settings): WorkerOptions {
  return Object.freeze({
    // In containers every process may be number 1 of a host of the same name.
    owner: `${hostname().slice(0, 40)}-${process.pid}-${randomBytes(4).toString('hex')}`,
    concurrency: {
      'small.quick': settings.QUICK_CONCURRENCY,
      'small.long': settings.LONG_CONCURRENCY,
      large: settings.LARGE_CONCURRENCY,
    },
    budgets: laneBudgets(settings),
    idleThreadsMs: ms(settings.IDLE_THREADS_SECONDS),
    largeFrom: settings.LARGE_FROM,
    quickMaxSeconds: settings.QUICK_MAX_SECONDS,
    ackAfterDoneMaxSeconds: settings.ACK_AFTER_DONE_MAX_SECONDS,
    // Only a broker has other workers behind it.
    turnWaitMs: settings.AMQP_URL === undefined ? undefined : turnWaitMs,
    leaseMs: ms(settings.LEASE_SECONDS),
    heartbeatMs: ms(settings.HEARTBEAT_SECONDS),
    storedBytesPerSecond: storedBytesPerSecond(settings),
    sweepIntervalMs: ms(settings.SWEEP_INTERVAL_SECONDS),
    sweepMaxRows,
    unfinishedMaxAgeMs: ms(settings.UNFINISHED_UPLOAD_MAX_AGE_SECONDS),
    maxFailures: settings.FAILURES_MAX,
    maxInterruptions: settings.INTERRUPTIONS_MAX,
    retryDelayMs: ms(settings.RETRY_DELAY_SECONDS),
    verifyReadbackMaxBytes: BigInt(settings.VERIFY_READBACK_MAX_BYTES),
  });
}
