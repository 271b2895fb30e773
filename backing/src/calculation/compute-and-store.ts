import {
  type Budget,
  ComputeError,
  type ComputeOptions,
  computeFactorial,
  type FactorialPlan,
  type FactorialResult,
  type Progress,
  planFactorial,
  type SharedBudget,
  SourceError,
} from '@factorial/compute';
import { StaleLeaseError } from '../contracts/errors.ts';
import type { Claim, MetadataStore } from '../metadata/metadata-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { CheckpointFolder, CheckpointFolders } from './checkpoint-folders.ts';
import { type StoredStart, storedFactorial } from './stored-start.ts';

/** Digits as they were computed and written: what the stored object must agree with before it is published. */
export interface StoredDigits {
  readonly size: bigint;
  /** Hex SHA-256 of the digits. */
  readonly checksum: string;
  /** The store's own mark of the bytes, made of the checksums of all parts and compared when they were written. */
  readonly eTag?: string;
  /** The digits themselves, where they were to be kept. */
  readonly digits?: Uint8Array;
}

/** Where a run writes what is worth knowing about its course; pino's shape. */
export interface CalculationLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What a process lends its runs beside their budget. */
export interface RunSupport {
  /** Memory and scratch that the run has to wait for; undefined where its part was taken before, or it has a machine of its own. */
  readonly sharedBudget?: SharedBudget | undefined;
  readonly checkpoints?: CheckpointFolders | undefined;
  /** A stored m! to start from, if its plan says so. */
  readonly start?: StoredStart | undefined;
  /** Time for which threads wait for the next run (`ComputeOptions.idleThreadsMs`). */
  readonly idleThreadsMs?: number | undefined;
  readonly log?: CalculationLog | undefined;
}

export interface ComputeAndStoreOptions {
  readonly budget: Budget;
  readonly support?: RunSupport | undefined;
  /** Stops computing and writing; a partly written object is removed by its sink. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** Whether a result of so many digits is kept in memory too; by default none is. */
  readonly keeps?: (digitCount: bigint) => boolean;
}

interface Stores {
  readonly metadata: MetadataStore;
  readonly objects: ObjectStore;
}

/**
 * Compute n! and stream its digits into the object the claim names, `calculating` → `uploading`. The caller keeps the
 * lease. The same claim always writes the same bytes under the same key, so repeating this is safe. A checkpoint that was kept stays until
 * the caller has published the digits, and goes when the run is not to be gone on with.
 */
export async function computeAndStore(
  claim: Claim,
  stores: Stores,
  options: ComputeAndStoreOptions,
): Promise<StoredDigits> {
  const { support, signal, budget } = options;
  const plan = planFactorial(claim.n, budget);
  const untakenBytes = support?.sharedBudget === undefined ? 0 : plan.scratchBytes;
  const checkpoint = await support?.checkpoints?.prepare(claim, plan, untakenBytes);
  try {
    return await computeInto(claim, stores, options, plan, checkpoint);
  } catch (error) {
    if (checkpoint !== undefined && !isResumable(error, signal)) await support?.checkpoints?.remove(claim);
    throw error;
  }
}

async function computeInto(
  claim: Claim,
  stores: Stores,
  options: ComputeAndStoreOptions,
  { estimatedSeconds }: FactorialPlan,
  checkpoint: CheckpointFolder | undefined,
): Promise<StoredDigits> {
  const { support, signal } = options;
  if (checkpoint?.resumes === true) {
    support?.log?.info({ number: claim.n, attempt: claim.attempt, estimatedSeconds }, 'going on from a checkpoint');
  }
  await using result = await computeProduct(claim, stores, options, checkpoint);
  await stores.metadata.markUploading(claim);
  const { digitCount } = result;
  const kept = options.keeps?.(digitCount) ? new Uint8Array(Number(digitCount)) : undefined;
  const digits = kept === undefined ? result.digits() : copiedInto(kept, result.digits());
  const receipt = await stores.objects.sink(claim.objectKey).write({ digits, digitCount, signal });
  const stored = { size: receipt.bytes, checksum: await result.sha256 };
  return {
    ...stored,
    ...(receipt.eTag === undefined ? {} : { eTag: receipt.eTag }),
    ...(kept === undefined ? {} : { digits: kept }),
  };
}

/** The same chunks, each copied on its way. */
async function* copiedInto(target: Uint8Array, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let filled = 0;
  for await (const chunk of chunks) {
    target.set(chunk, filled);
    filled += chunk.byteLength;
    yield chunk;
  }
}

/** From the stored m! where the plan says so; afresh when that turns out to be damaged or gone. */
async function computeProduct(
  { n }: Claim,
  { objects }: Stores,
  { budget, support, signal, onProgress }: ComputeAndStoreOptions,
  checkpoint: CheckpointFolder | undefined,
): Promise<FactorialResult> {
  const { sharedBudget, start, idleThreadsMs, log } = support ?? {};
  const compute = (more: Pick<ComputeOptions, 'from'>): Promise<FactorialResult> =>
    computeFactorial(n, {
      budget,
      signal,
      onProgress,
      ...more,
      ...(sharedBudget === undefined ? {} : { sharedBudget }),
      ...(idleThreadsMs === undefined ? {} : { idleThreadsMs }),
      ...(checkpoint === undefined ? {} : { checkpointDir: checkpoint.path, keepCheckpoint: true }),
    });
  if (start?.plan.from?.used !== true) return await compute({});
  const { row, bytesPerSecond } = start;
  log?.info({ number: n, from: row.n, reason: start.plan.from.reason }, 'starting from a stored result');
  try {
    return await compute({ from: storedFactorial(row, objects, bytesPerSecond, signal) });
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    log?.warn(
      { number: n, from: row.n, key: row.objectKey, reason: error.message },
      'stored result not usable, computing afresh',
    );
    return await compute({});
  }
}

/** Told to stop, or failed for a reason outside of the calculation: what is finished is good, and somebody will want it. */
function isResumable(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted) return !(signal.reason instanceof StaleLeaseError);
  return !(error instanceof ComputeError);
}
