import type { Budget } from '@factorial/compute';
import type { DigitCache } from '../cache/digit-cache.ts';
import { StaleLeaseError } from '../contracts/errors.ts';
import type { Claim, FactorialRow, FailureReason, MetadataStore } from '../metadata/metadata-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { computeAndStore, type RunSupport } from './compute-and-store.ts';
import { failureReason, isRetryable } from './failure-reason.ts';
import { LeaseKeeper, type LeaseTimes } from './lease-keeper.ts';
import { verifyStored } from './verify-stored.ts';

export type CalculationOutcome =
  | { readonly kind: 'done'; readonly row: FactorialRow }
  /** The try failed and the row waits for another. */
  | { readonly kind: 'retry'; readonly reason: FailureReason }
  /** The row is failed for good. */
  | { readonly kind: 'failed'; readonly reason: FailureReason }
  /** Somebody else owns the row now, or it was cancelled. */
  | { readonly kind: 'stale' }
  /** Stopped by the caller's signal; the row was given back. */
  | { readonly kind: 'released' };

export interface CalculationServices {
  readonly metadata: MetadataStore;
  readonly objects: ObjectStore;
  readonly cache: DigitCache;
}

export interface CalculationOptions extends LeaseTimes {
  readonly budget: Budget;
  readonly support?: RunSupport | undefined;
  /** Failed tries of one attempt before the row is failed for good. */
  readonly maxFailures: number;
  /** Stored results up to this size are read back and hashed before they are published. */
  readonly verifyReadbackMaxBytes: bigint;
}

/**
 * Carry one claimed row to its end: compute, stream the digits into the object store, compare what is stored with what
 * was computed, publish, cache. Every write carries the claim's fence, so a worker that lost its lease changes nothing.
 * Rejects only when the metadata store itself fails; the lease then runs out and the sweep takes the row up again.
 */
export async function runCalculation(
  claim: Claim,
  services: CalculationServices,
  options: CalculationOptions,
  stop: AbortSignal,
): Promise<CalculationOutcome> {
  try {
    const { row, digits } = await calculate(claim, services, options, stop);
    await options.support?.checkpoints?.remove(claim);
    // Compared with what was stored: no need to read them once more.
    if (digits !== undefined) await services.cache.set(row.n, digits);
    return { kind: 'done', row };
  } catch (error) {
    return await settleFailure(error, claim, services, options, stop);
  }
}

async function calculate(
  claim: Claim,
  services: CalculationServices,
  options: CalculationOptions,
  stop: AbortSignal,
): Promise<{ readonly row: FactorialRow; readonly digits: Uint8Array | undefined }> {
  await using lease = new LeaseKeeper(services.metadata, claim, options);
  const signal = AbortSignal.any([lease.signal, stop]);
  const stored = await computeAndStore(claim, services, {
    budget: options.budget,
    support: options.support,
    signal,
    onProgress: (progress) => lease.report(progress),
    keeps: (digitCount) => services.cache.accepts(digitCount),
  });
  const readbackMaxBytes = options.verifyReadbackMaxBytes;
  await verifyStored(claim.objectKey, stored, services.objects, { readbackMaxBytes, signal });
  return { row: await services.metadata.complete(claim, stored), digits: stored.digits };
}

async function settleFailure(
  error: unknown,
  claim: Claim,
  services: CalculationServices,
  options: CalculationOptions,
  stop: AbortSignal,
): Promise<CalculationOutcome> {
  const outcome = await settleRow(error, claim, services, options, stop);
  // The answer to a publish that did take effect may have been lost: never remove what the row names now.
  const row = await services.metadata.find(claim.n);
  if (row?.status === 'done' && row.objectKey === claim.objectKey) return { kind: 'done', row };
  await services.objects.remove(claim.objectKey);
  return outcome;
}

async function settleRow(
  error: unknown,
  claim: Claim,
  { metadata }: CalculationServices,
  { maxFailures }: CalculationOptions,
  stop: AbortSignal,
): Promise<CalculationOutcome> {
  if (error instanceof StaleLeaseError) return { kind: 'stale' };
  if (stop.aborted) {
    await metadata.release(claim);
    return { kind: 'released' };
  }
  const reason = failureReason(error);
  try {
    return { kind: await metadata.fail(claim, reason, { retryable: isRetryable(error), maxFailures }), reason };
  } catch (failing) {
    if (failing instanceof StaleLeaseError) return { kind: 'stale' };
    throw failing;
  }
}
