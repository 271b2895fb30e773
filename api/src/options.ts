import { maxInt64 } from '@factorial/backing';
import { type Budget, defaultBudget, InputError, parseBudget, tinyFactorialLimit } from '@factorial/compute';

/** Everything the HTTP side can be told, with units in the names. Made by `resolveApiOptions`; frozen. */
export interface ApiOptions {
  /** Largest n that POST accepts. */
  readonly maxNumber: bigint;
  /** From this n on, digits are served by `/factorial/metadata` and `/factorial/digits` only, and the lane is `large`. */
  readonly largeFrom: bigint;
  /** Up to this n, `GET /factorial` computes the digits at once, requested or not. */
  readonly tinyMaxNumber: bigint;
  /** What one calculation may use; decides what POST can accept and what an estimate says. */
  readonly budget: Budget;
  /** What one calculation of the quick lane may use; what does not fit goes to the long lane. */
  readonly quickBudget: Budget;
  /** Requests estimated to take at most this long go to the quick lane. */
  readonly quickMaxSeconds: number;
  /** What stored results can be read at, about, when a calculation starts from one: for estimates. */
  readonly storedBytesPerSecond: number;
  /** Results of at least this size are answered with a 307 to a presigned URL; undefined = never. */
  readonly presignMinBytes: bigint | undefined;
  /** Life of a presigned URL. */
  readonly presignTtlSeconds: number;
  /** Results with more digits than this are not wrapped in JSON. */
  readonly jsonMaxDigits: number;
  readonly bodyMaxBytes: number;
  /** Requests per minute and client address, over all routes but the probes; 0 = unlimited. */
  readonly rateLimitPerMinute: number;
  /** Client addresses remembered by the rate limit; the least recently seen is forgotten. */
  readonly rateLimitMaxClients: number;
  /** Unfinished calculations per client. */
  readonly unfinishedMaxPerClient: number;
  /** Keys that may POST and DELETE: plain text of at least 16 characters, or `sha256:` and 64 hex digits. Empty = open. */
  readonly apiKeys: readonly string[];
  /** Bound on the bytes of all stored results together; undefined = only the store's own free space. */
  readonly objectsMaxBytes: bigint | undefined;
  /** Addresses (IP or CIDR) of proxies whose `X-Forwarded-For` is believed; false = none. */
  readonly trustProxy: readonly string[] | false;
  readonly retryAfterMinSeconds: number;
  readonly retryAfterMaxSeconds: number;
  readonly listDefaultLimit: number;
  /** 1…1000. */
  readonly listMaxLimit: number;
  /** How often an event stream looks at its row. */
  readonly eventPollMs: number;
  readonly eventHeartbeatMs: number;
  readonly eventMaxConnections: number;
  readonly eventMaxConnectionsPerClient: number;
  /** An event stream is ended after this long; the client reconnects where it was. */
  readonly eventMaxSeconds: number;
  /** Connections open at once; more are dropped. */
  readonly maxConnections: number;
  /** A request must have arrived whole within this time. */
  readonly requestTimeoutMs: number;
  /** A connection on which nothing moved for this long is cut. Longer than `eventHeartbeatMs`. */
  readonly connectionIdleMs: number;
  /** `close` gives answers under way this long, then cuts their connections. */
  readonly closeDrainMs: number;
  /** Bound on one readiness check. */
  readonly readinessTimeoutMs: number;
}

/** What a caller may say; everything else has a safe default, `budget` that of the machine, and `quickBudget` that of `budget`. */
export type ApiOptionsInput = { readonly [Name in keyof ApiOptions]?: ApiOptions[Name] | undefined };

const defaults: Omit<ApiOptions, 'budget' | 'quickBudget'> = {
  maxNumber: 100_000_000n,
  largeFrom: 1_000_000_000n,
  tinyMaxNumber: 2_000n,
  quickMaxSeconds: 5,
  storedBytesPerSecond: 400e6,
  presignMinBytes: undefined,
  presignTtlSeconds: 300,
  jsonMaxDigits: 100_000,
  bodyMaxBytes: 1_024,
  rateLimitPerMinute: 600,
  rateLimitMaxClients: 10_000,
  unfinishedMaxPerClient: 16,
  apiKeys: [],
  objectsMaxBytes: undefined,
  trustProxy: false,
  retryAfterMinSeconds: 1,
  retryAfterMaxSeconds: 60,
  listDefaultLimit: 20,
  listMaxLimit: 100,
  eventPollMs: 500,
  eventHeartbeatMs: 15_000,
  eventMaxConnections: 200,
  eventMaxConnectionsPerClient: 20,
  eventMaxSeconds: 3_600,
  maxConnections: 2_000,
  requestTimeoutMs: 30_000,
  connectionIdleMs: 120_000,
  closeDrainMs: 10_000,
  readinessTimeoutMs: 2_000,
};

/** Fills in the defaults, checks every range and freezes. Throws `InputError` naming the option. */
export function resolveApiOptions(input: ApiOptionsInput): ApiOptions {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const isKnown = (name: string) => name === 'budget' || name === 'quickBudget' || Object.hasOwn(defaults, name);
  const unknown = Object.keys(given).find((name) => !isKnown(name));
  if (unknown !== undefined) throw new InputError(`options out of ${Object.keys(defaults).join(', ')}`, unknown);
  const budget = input.budget ?? defaultBudget();
  const options: ApiOptions = { ...defaults, budget, quickBudget: budget, ...given };
  checkBigInts(options);
  checkIntegers(options);
  checkRelations(options);
  checkApiKeys(options.apiKeys);
  return Object.freeze({
    ...options,
    budget: parseBudget(options.budget),
    quickBudget: parseBudget(options.quickBudget),
    apiKeys: Object.freeze([...options.apiKeys]),
    trustProxy: options.trustProxy === false ? false : Object.freeze([...options.trustProxy]),
  });
}

function checkBigInts(options: ApiOptions): void {
  for (const name of ['maxNumber', 'largeFrom', 'tinyMaxNumber'] as const) {
    const value = options[name];
    if (typeof value !== 'bigint' || value < 0n || value > maxInt64) {
      throw new InputError(`${name} to be a BigInt from 0 to ${maxInt64}`, String(value));
    }
  }
  for (const name of ['presignMinBytes', 'objectsMaxBytes'] as const) {
    const value = options[name];
    if (value !== undefined && (typeof value !== 'bigint' || value < 0n)) {
      throw new InputError(`${name} to be a BigInt of at least 0, or undefined`, String(value));
    }
  }
}

const integerRanges = {
  presignTtlSeconds: [1, 604_800],
  jsonMaxDigits: [0, 10_000_000],
  bodyMaxBytes: [64, 1_048_576],
  rateLimitPerMinute: [0, 1_000_000],
  rateLimitMaxClients: [1, 1_000_000],
  unfinishedMaxPerClient: [1, 1_000_000],
  retryAfterMinSeconds: [1, 86_400],
  retryAfterMaxSeconds: [1, 86_400],
  listDefaultLimit: [1, 1_000],
  listMaxLimit: [1, 1_000],
  eventPollMs: [10, 60_000],
  eventHeartbeatMs: [10, 600_000],
  eventMaxConnections: [0, 100_000],
  eventMaxConnectionsPerClient: [0, 100_000],
  eventMaxSeconds: [1, 86_400],
  maxConnections: [1, 1_000_000],
  requestTimeoutMs: [100, 600_000],
  connectionIdleMs: [100, 86_400_000],
  closeDrainMs: [0, 3_600_000],
  readinessTimeoutMs: [1, 60_000],
} as const satisfies Partial<Record<keyof ApiOptions, readonly [number, number]>>;

function checkIntegers(options: ApiOptions): void {
  for (const [name, [minimum, maximum]] of Object.entries(integerRanges)) {
    const value = options[name as keyof typeof integerRanges];
    if (!Number.isInteger(value) || value < minimum || value > maximum) {
      throw new InputError(`${name} to be an integer from ${minimum} to ${maximum}`, String(value));
    }
  }
  if (!(options.storedBytesPerSecond > 0)) {
    throw new InputError('storedBytesPerSecond to be a positive number', String(options.storedBytesPerSecond));
  }
  if (!(options.quickMaxSeconds >= 0 && Number.isFinite(options.quickMaxSeconds))) {
    throw new InputError('quickMaxSeconds to be a number of at least 0', String(options.quickMaxSeconds));
  }
}

function checkRelations(options: ApiOptions): void {
  const pairs = [
    ['retryAfterMinSeconds', 'retryAfterMaxSeconds'],
    ['listDefaultLimit', 'listMaxLimit'],
    ['eventHeartbeatMs', 'connectionIdleMs'],
  ] as const;
  for (const [lower, upper] of pairs) {
    if (options[lower] > options[upper]) {
      throw new InputError(`${lower} to be at most ${upper} (${options[upper]})`, String(options[lower]));
    }
  }
  if (options.tinyMaxNumber > tinyFactorialLimit) {
    throw new InputError(`tinyMaxNumber to be at most ${tinyFactorialLimit}`, String(options.tinyMaxNumber));
  }
}

function checkApiKeys(keys: readonly string[]): void {
  for (const [index, key] of keys.entries()) {
    const hashed = key.startsWith('sha256:');
    if (hashed ? !/^sha256:[0-9a-f]{64}$/.test(key) : key.length < 16) {
      throw new InputError(
        `apiKeys[${index}] to have at least 16 characters, or to be "sha256:" and 64 lower-case hex digits`,
        `${key.length} characters`,
      );
    }
  }
}
