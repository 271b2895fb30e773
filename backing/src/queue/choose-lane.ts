import type { Lane } from './calculation-queue.ts';

export interface LaneLimits {
  /** From this n on the calculation is a workflow execution. */
  readonly largeFrom: bigint;
  /** Estimates above this go to the long lane. */
  readonly quickMaxSeconds: number;
}

/**
 * The lane of a calculation: large by n, else quick or long, so that 900,000,000! never stands before 100!. `quickSeconds` is the estimate with
 * the quick lane's memory; infinite when it does not fit that.
 */
export function chooseLane(n: bigint, quickSeconds: number, limits: LaneLimits): Lane {
  if (n >= limits.largeFrom) return 'large';
  return quickSeconds <= limits.quickMaxSeconds ? 'small.quick' : 'small.long';
}
