import type { Lane } from '@factorial/backing';
import type { FactorialPlan } from '@factorial/compute';
import type { ApiOptions } from '../options.ts';

/** The lane a request travels in, so that a long calculation never stands before a short one. */
export function laneOf(n: bigint, plan: FactorialPlan, options: ApiOptions): Lane {
  if (n >= options.largeFrom) return 'large';
  return plan.estimatedSeconds <= options.quickMaxSeconds ? 'small.quick' : 'small.long';
}
