import type { EngineName, FactorialPlan } from './plan/plan.ts';

/**
 * A finished calculation whose digits wait to be taken. Its memory is held until `digits()` was consumed or the result is
 * disposed; `await using` it.
 */
export interface FactorialResult extends AsyncDisposable {
  readonly n: bigint;
  readonly plan: FactorialPlan;
  readonly engine: EngineName;
  readonly threads: number;
  /** Exact number of digits, hence of bytes that `digits()` yields. */
  readonly digitCount: bigint;
  readonly trailingZeros: bigint;
  /**
   * The ASCII digits, most significant first, in chunks of at most `maxChunkBytes`, with back-pressure: what is
   * produced before it is asked for is bounded. May be called once. Throws `KernelError` (`verification-failed`) instead of
   * finishing when the text does not verify, the signal's reason when aborted. A yielded chunk belongs to the caller, unless
   * chunks are lent (`lendChunks`).
   */
  digits(): AsyncIterable<Uint8Array>;
  /** Hex SHA-256 of the digits; settles when `digits()` was consumed to its end, rejects when it failed. */
  readonly sha256: Promise<string>;
}
