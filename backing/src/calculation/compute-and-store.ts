import { type Budget, type ComputeOptions, computeFactorial } from '@factorial/compute';
import type { Claim, MetadataStore, StoredProgress } from '../metadata/metadata-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';

/** Digits as they were computed and written: what the stored object must agree with before it is published. */
export interface StoredDigits {
  readonly size: bigint;
  /** Hex SHA-256 of the digits. */
  readonly checksum: string;
  /** The store's own mark of the bytes, made of the checksums of all parts and compared when they were written. */
  readonly eTag?: string;
}

/** What a process lends its runs beside their budget. */
export type RunSupport = Pick<ComputeOptions, 'checkpointDir' | 'sharedBudget'>;

export interface ComputeAndStoreOptions {
  readonly budget: Budget;
  readonly support?: RunSupport | undefined;
  /** Stops computing and writing; a partly written object is removed by its sink. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: StoredProgress) => void;
}

/**
 * Compute n! and stream its digits into the object the claim names, `calculating` → `uploading`. The caller keeps the
 * lease. The same claim always writes the same bytes under the same key, so repeating this is safe.
 */
export async function computeAndStore(
  claim: Claim,
  { metadata, objects }: { readonly metadata: MetadataStore; readonly objects: ObjectStore },
  { budget, support, signal, onProgress }: ComputeAndStoreOptions,
): Promise<StoredDigits> {
  await using result = await computeFactorial(claim.n, { ...support, budget, signal, onProgress });
  await metadata.markUploading(claim);
  const receipt = await objects
    .sink(claim.objectKey)
    .write({ digits: result.digits(), digitCount: result.digitCount, signal });
  const stored = { size: receipt.bytes, checksum: await result.sha256 };
  return receipt.eTag === undefined ? stored : { ...stored, eTag: receipt.eTag };
}
