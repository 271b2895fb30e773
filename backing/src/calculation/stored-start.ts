import {
  type Budget,
  type FactorialPlan,
  PlanCapacityError,
  planFactorial,
  type StoredFactorial,
} from '@factorial/compute';
import type { FactorialRow, MetadataStore } from '../metadata/metadata-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';

/** Below this no stored result is worth the look: n! is there before its digits could be read. */
const leastNumber = 100_000n;

/** The nearest stored m! below n, and the plan of n! with it on offer: `plan.from` says whether it is used and why. */
export interface StoredStart {
  readonly row: FactorialRow;
  readonly plan: FactorialPlan;
  /** What the digits can be read at, about. */
  readonly bytesPerSecond: number;
}

/**
 * What n! may be computed from: the largest stored m with n/2 ≤ m < n, found by its index. Undefined when there is none, or when n! does not fit the
 * budget either way.
 */
export async function nearestStart(
  n: bigint,
  budget: Budget,
  metadata: Pick<MetadataStore, 'doneBelow'>,
  bytesPerSecond: number,
): Promise<StoredStart | undefined> {
  if (n < leastNumber) return undefined;
  const [row] = await metadata.doneBelow(n, (n + 1n) / 2n, 1);
  if (row === undefined) return undefined;
  try {
    return { row, bytesPerSecond, plan: planFactorial(n, budget, { from: { n: row.n, bytesPerSecond } }) };
  } catch (error) {
    if (error instanceof PlanCapacityError) return undefined;
    throw error;
  }
}

/** The stored digits as a run takes them, with what they must be. */
export function storedFactorial(
  row: FactorialRow,
  objects: ObjectStore,
  bytesPerSecond: number,
  signal: AbortSignal,
): StoredFactorial {
  return {
    n: row.n,
    bytesPerSecond,
    ...(row.checksum === null ? {} : { sha256: row.checksum }),
    digits: async function* () {
      yield* await objects.read(row.objectKey, undefined, signal);
    },
  };
}
