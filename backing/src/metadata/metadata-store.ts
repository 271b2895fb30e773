import type { CalculationEvent } from '../contracts/event.ts';
import type { FactorialStatus } from '../contracts/status.ts';

/** Why a calculation failed, as the API shows it. `code` is stable. */
export interface FailureReason {
  readonly code: string;
  readonly message: string;
}

/** Work units of a run: 0 ≤ done ≤ total. */
export interface StoredProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** Estimated seconds until the digits are written; absent while nothing is known. */
  readonly secondsLeft?: number;
  /** In words, what a run in the phase `waiting` waits for. */
  readonly reason?: string;
}

/** One row of `factorials`. n, sizes and counts are exact BigInts. */
export interface FactorialRow {
  readonly n: bigint;
  /** Key of the current attempt's object; names a stored object once `status` is `done`. */
  readonly objectKey: string;
  /** Bytes stored; null until done. */
  readonly size: bigint | null;
  /** Hex SHA-256 of the digits; null until done. */
  readonly checksum: string | null;
  readonly status: FactorialStatus;
  readonly digits: bigint;
  readonly trailingZeros: bigint;
  /** 1 for the first request; one more each time a failed n is requested again. */
  readonly attempt: number;
  /** Calculations of this attempt that ended in an error and were retried. */
  readonly failures: number;
  /** Leases of this attempt that ran out (a worker died); bounded apart from failures. */
  readonly interruptions: number;
  readonly leaseOwner: string | null;
  readonly leaseUntil: Date | null;
  readonly fence: bigint;
  readonly progress: StoredProgress | null;
  /** Why it failed; of an unfinished row the last failure, which is being retried. */
  readonly error: FailureReason | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When the digits were last read, as `touchRead` recorded it; null when never. */
  readonly lastReadAt: Date | null;
}

/** Proof of ownership of an unfinished row; every write under it is refused once a newer fence exists. */
export interface Claim {
  readonly n: bigint;
  readonly owner: string;
  readonly fence: bigint;
  readonly attempt: number;
  /** Unique to this claim, so that two claimers never write the same object. */
  readonly objectKey: string;
}

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly claim: Claim; readonly row: FactorialRow }
  /** Finished already, either way; nothing to do. */
  | { readonly kind: 'settled'; readonly row: FactorialRow }
  /** Somebody else holds a live lease. */
  | { readonly kind: 'leased'; readonly row: FactorialRow }
  | { readonly kind: 'unknown' };

export interface ListPage {
  readonly rows: readonly FactorialRow[];
  /** Pass as `after` for the next page; undefined on the last one. */
  readonly next: ListCursor | undefined;
}

/** Position in the list, newest first: rows strictly older than (createdAt, n). */
export interface ListCursor {
  readonly createdAt: Date;
  readonly n: bigint;
}

export interface Coordination {
  /** Largest n that is done, or null. */
  readonly maxFactorial: bigint | null;
  /** Largest n under a live lease, or null. */
  readonly curFactorial: bigint | null;
}

export interface StoreUsage {
  readonly objectCount: bigint;
  /** Bytes of all done objects. */
  readonly storedBytes: bigint;
  /** Bytes that unfinished rows will need when they are done (their exact digit counts). */
  readonly reservedBytes: bigint;
}

export interface RequestInput {
  readonly n: bigint;
  readonly digits: bigint;
  readonly trailingZeros: bigint;
  /** Who asked, for the limit on unfinished calculations per client; opaque, 1 … 64 characters. */
  readonly client: string;
}

/** What a request may add to; left out: no limit. */
export interface RequestLimits {
  /** Unfinished rows of one client. */
  readonly unfinishedMaxPerClient?: number | undefined;
  /** Bytes stored and reserved together. */
  readonly totalMaxBytes?: bigint | undefined;
  /** Bytes reserved by unfinished rows: what the store can still take. */
  readonly reservedMaxBytes?: bigint | undefined;
}

export type RequestOutcome =
  | { readonly kind: 'accepted'; readonly row: FactorialRow; readonly created: boolean }
  /** Nothing was changed; `unfinished` rows of this client were there. */
  | { readonly kind: 'too-many-unfinished'; readonly unfinished: number }
  /** Nothing was changed; `usage` without this request. */
  | { readonly kind: 'store-full'; readonly usage: StoreUsage };

export interface ClaimLimits {
  /** 1 … 86,400,000. */
  readonly leaseMs: number;
  /** A row whose lease ran out this many times in one attempt fails with code `interrupted-too-often`. */
  readonly maxInterruptions: number;
}

/**
 * What is known of every requested n (0 … 2^63−1). All leases are judged by the store's own clock. Every method rejects with
 * `TransientError` when the store cannot be reached, and with `InputError` when an argument is outside its range.
 */
export interface MetadataStore {
  /** Bring the schema up to date. Idempotent, safe from several processes at once. Resolves to the applied names. */
  migrate(): Promise<readonly string[]>;
  ping(): Promise<void>;

  /** Insert the row, or start a new attempt when it is `failed`; otherwise leave it. `created` tells whether work is due. */
  request(input: RequestInput): Promise<{ readonly row: FactorialRow; readonly created: boolean }>;
  /**
   * As `request`, within limits: where it would make work, the limits hold afterwards, or nothing is changed. Exact however many processes
   * ask at once: requests that make work are judged one after the other.
   */
  requestWithin(input: RequestInput, limits: RequestLimits): Promise<RequestOutcome>;
  find(n: bigint): Promise<FactorialRow | undefined>;
  /** Newest first; at most `limit` (1…1000) rows. */
  list(limit: number, after?: ListCursor): Promise<ListPage>;
  /** Rows `calculating` or `uploading` that this client asked for. */
  countUnfinished(client: string): Promise<number>;

  /** Take an unfinished row that nobody holds, or whose lease ran out: fence + 1, new object key, status `calculating`. */
  claim(n: bigint, owner: string, limits: ClaimLimits): Promise<ClaimOutcome>;
  /**
   * Record that a worker holds the request for this attempt and why its run cannot start yet; the row stays unclaimed, for whoever can run it
   * sooner. false when there is nothing to wait for any more: it was claimed, cancelled, requested anew, or has ended.
   */
  noteWaiting(n: bigint, attempt: number, progress: StoredProgress): Promise<boolean>;
  /** Extend the lease and record progress. `StaleLeaseError` when the claim is no longer the newest or not unfinished. */
  renew(claim: Claim, leaseMs: number, progress?: StoredProgress): Promise<void>;
  /** `calculating` → `uploading`. `StaleLeaseError` as above. */
  markUploading(claim: Claim): Promise<void>;
  /**
   * Publish: → `done`, size and checksum set, lease cleared, `max_factorial` raised. `StaleLeaseError` as above;
   * `CorruptObjectError` when the size is not the row's exact digit count: nothing is published then.
   */
  complete(claim: Claim, stored: { readonly size: bigint; readonly checksum: string }): Promise<FactorialRow>;
  /**
   * Record an error. With `retryable` and fewer than `maxFailures` failures, this one counted, the row goes back to unclaimed `calculating`
   * (outcome `retry`), else it becomes `failed` with the reason (outcome `failed`). `StaleLeaseError` as above.
   */
  fail(
    claim: Claim,
    reason: FailureReason,
    policy: { readonly retryable: boolean; readonly maxFailures: number },
  ): Promise<'retry' | 'failed'>;
  /** Give an unfinished row back unharmed (shutdown): unclaimed, counters untouched. A stale claim is ignored. */
  release(claim: Claim): Promise<void>;
  /**
   * End an unfinished row as `failed` with code `cancelled`; its holder learns it as `StaleLeaseError` at its next write.
   * A row that is `done` or `failed` already is left alone and named.
   */
  cancel(n: bigint): Promise<'cancelled' | 'done' | 'failed' | 'unknown'>;
  /**
   * Call the listener when a row is cancelled through this very store, so that its run in the same process need not wait for its next heartbeat.
   * It must not throw. Returns how to stop listening.
   */
  onCancel(listener: (n: bigint) => void): () => void;
  /**
   * Unfinished rows that nobody holds now (never claimed, given back, or lease ran out), oldest first. With `idleMs`, one that was
   * requested or given back within that time by the database's clock is left out; a lease that ran out counts at once.
   */
  claimable(limit: number, idleMs?: number): Promise<readonly { readonly n: bigint; readonly attempt: number }[]>;
  /**
   * End all live leases now, as if they had run out: their holders' claims are stale and the next claim counts an interruption.
   * For an embedded store that this process holds alone, at its start. Resolves to the count. A store that other processes share
   * cannot know which holders are dead: it ends nothing, resolves to 0, and leaves it to the leases to run out.
   */
  releaseAllLeases(): Promise<number>;

  coordination(): Promise<Coordination>;
  /** Record that the digits of a done row were read, to the minute: most calls write nothing. Other rows are left alone. */
  touchRead(n: bigint): Promise<void>;
  /** The same of at most 1,000 n at once. */
  touchReads(numbers: readonly bigint[]): Promise<void>;
  /** The same cost however many rows there are. */
  usage(): Promise<StoreUsage>;
  /**
   * Ends of attempts that nobody has announced yet, oldest first, at most `limit` (1…1000), older than `idleMs` by the store's clock.
   * Whatever ends a row records it in the same transaction; it stays until `announced`.
   */
  unannounced(limit: number, idleMs?: number): Promise<readonly CalculationEvent[]>;
  /** Other systems were told how this attempt ended. */
  announced(n: bigint, attempt: number): Promise<void>;
  /**
   * Done rows, those first whose digits nobody read for the longest time (never read: since they were done); at most `limit`
   * (1…1000), after the first `skip`.
   */
  leastRecentlyRead(limit: number, skip?: number): Promise<readonly FactorialRow[]>;
  /**
   * Forget a done row, unless it was read, or replaced, since it was found as it is here: false then. Its object is the caller's to
   * remove afterwards. `max_factorial` follows.
   */
  removeDone(row: FactorialRow): Promise<boolean>;
  /** The largest done n in `from` … `below` − 1, at most `limit` (1…100) rows, largest first: what n! may be computed from. */
  doneBelow(below: bigint, from: bigint, limit: number): Promise<readonly FactorialRow[]>;
  /** Object keys of rows that are unfinished or done: what a sweep of stored objects must not remove. */
  isObjectKeyLive(objectKey: string): Promise<boolean>;
  close(): Promise<void>;
}
