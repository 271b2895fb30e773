import type { Lane } from './calculation-queue.ts';

export interface LaneLimits {
  /** From this n on the calculation is a workflow execution. */
  readonly largeFrom: bigint;
  /** Estimates above this go to the long lane. */
  readonly quickMaxSeconds: number;
}

/** The lane of a calculation: large by n, else quick or long by its estimate, so that 900,000,000! never stands before 100!. */
export function chooseLane(n: bigint, estimatedSeconds: number, limits: LaneLimits): Lane {
  if (n >= limits.largeFrom) return 'large';
  return estimatedSeconds <= limits.quickMaxSeconds ? 'small.quick' : 'small.long';
}
