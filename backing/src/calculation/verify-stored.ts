import { CorruptObjectError } from '../contracts/errors.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { StoredDigits } from './compute-and-store.ts';

export interface VerifyOptions {
  /** Objects up to this size are read back and hashed. */
  readonly readbackMaxBytes: bigint;
  readonly signal: AbortSignal;
}

/**
 * Compare the stored object with what was computed: its size and, where the store tells one, its ETag (on S3 made of the checksums of all
 * parts, each compared when it was sent) always, its SHA-256 up to `readbackMaxBytes`.
 * `CorruptObjectError` when they differ: never publish it.
 */
export async function verifyStored(
  key: string,
  computed: StoredDigits,
  objects: ObjectStore,
  { readbackMaxBytes, signal }: VerifyOptions,
): Promise<void> {
  const stored = await objects.stat(key);
  if (stored?.size !== computed.size) {
    throw new CorruptObjectError(
      `expected ${computed.size} bytes stored at ${key}, got ${stored?.size ?? 'no object'}`,
    );
  }
  if (computed.eTag !== undefined && stored.eTag !== computed.eTag) {
    throw new CorruptObjectError(`expected the ETag ${computed.eTag} at ${key}, got ${stored.eTag ?? 'none'}`);
  }
  if (computed.size > readbackMaxBytes) return;
  const { sha256 } = await objects.checksum(key, signal);
  if (sha256 !== computed.checksum) {
    throw new CorruptObjectError(`expected SHA-256 ${computed.checksum} stored at ${key}, got ${sha256}`);
  }
}
