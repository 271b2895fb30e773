import type { DigitSink } from '@factorial/compute';

/** What the bytes of an object are, as read back from where they are stored. */
export interface ObjectChecksum {
  readonly size: bigint;
  /** Hex SHA-256. */
  readonly sha256: string;
}

export interface StoredObject {
  readonly key: string;
  readonly size: bigint;
  readonly modifiedAt: Date;
  /** The server's own mark of the bytes (S3: made of the checksums of all parts, where it is no secret); left out where there is none. */
  readonly eTag?: string;
}

/** Inclusive byte range, 0 ≤ start ≤ end < size. */
export interface ByteRange {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * A key: 1 … 8 segments joined by `/`, each 1 … 128 letters, digits, `.`, `_` or `-`, the first a letter or digit; `InputError`
 * otherwise. So no key climbs out of the store, is hidden, or is too long for a file system or S3.
 */
export const objectKeyPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}(\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){0,7}$/;

/**
 * Where digits are kept, by key. Writing goes through a sink of `compute`; an object becomes visible whole or not at all.
 * Every method rejects with `TransientError` when the store cannot be reached.
 */
export interface ObjectStore {
  /**
   * A sink that writes one object under this key. Its `write` rejects with `CapacityError` when the store is full (before
   * the first byte where the size says so), `TransientError` when it cannot be written now, `SinkError` when the source does not
   * yield the bytes it promised, and with what the source threw; it leaves nothing behind then.
   */
  sink(key: string): DigitSink;
  stat(key: string): Promise<StoredObject | undefined>;
  /**
   * The bytes of the object or of a range of it, pulled chunk by chunk. Rejects with `ObjectNotFoundError`, and with
   * `InputError` when the range is outside the object; iteration throws the signal's reason once that aborts, and
   * `CorruptObjectError` when the object ends too soon. End the iteration (`return`), read to the end, or abort: each frees the
   * file or connection. An object removed while it is read is still
   * read to its end where the store can.
   */
  read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Read the object back to its end and hash it. `ObjectNotFoundError` when there is none. */
  checksum(key: string, signal?: AbortSignal): Promise<ObjectChecksum>;
  /** A URL that serves the object for `ttlSeconds`, or undefined where the store has no such thing. */
  presign(key: string, ttlSeconds: number): Promise<string | undefined>;
  /** Visible objects, in no particular order. */
  list(): AsyncIterable<StoredObject>;
  /** Remove an object; a missing one is fine. */
  remove(key: string): Promise<void>;
  /**
   * Abort unfinished uploads under this key, whoever began them and however young they are: for the owner of the key, when
   * the process that wrote is gone. Resolves to how many; 0 where unfinished writes are not known by key.
   */
  abortUploads(key: string): Promise<number>;
  /** Remove unfinished writes that were last written to longer ago than this; never one of this process. Resolves to how many. */
  sweepUnfinished(olderThanMs: number): Promise<number>;
  /** The time by the clock that dates the stored objects, to a second: ages are judged by it alone. */
  now(): Promise<Date>;
  /** Bytes that can still be stored, or undefined when the store has no such bound. */
  freeBytes(): Promise<bigint | undefined>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
