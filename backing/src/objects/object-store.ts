import type { DigitSink } from '@factorial/compute';

export interface StoredObject {
  readonly key: string;
  readonly size: bigint;
  readonly modifiedAt: Date;
}

/** Inclusive byte range, 0 ≤ start ≤ end < size. */
export interface ByteRange {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * Where digits are kept, by key. Writing goes through a sink of `compute`; an object becomes visible whole or not at all.
 * Every method rejects with `TransientError` when the store cannot be reached.
 */
export interface ObjectStore {
  /** A sink that writes one new object under this key. */
  sink(key: string): DigitSink;
  stat(key: string): Promise<StoredObject | undefined>;
  /** The bytes of the object or of a range of it; an object removed while it is read is still read to its end where the store can. */
  read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** A URL that serves the object for `ttlSeconds`, or undefined where the store has no such thing. */
  presign(key: string, ttlSeconds: number): Promise<string | undefined>;
  /** Visible objects, in no particular order. */
  list(): AsyncIterable<StoredObject>;
  /** Remove an object; a missing one is fine. */
  remove(key: string): Promise<void>;
  /** Remove unfinished writes older than this. Resolves to how many were removed. */
  sweepUnfinished(olderThanMs: number): Promise<number>;
  /** Bytes that can still be stored, or undefined when the store has no such bound. */
  freeBytes(): Promise<bigint | undefined>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
