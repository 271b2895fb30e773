import type { FactorialRow } from '@factorial/backing';
import type { ApiOptions } from '../options.ts';
import type { Capacity } from './capacity.ts';

/** Seconds after which it is worth asking for an unfinished row again, by its plan and progress, within the bounds. */
export function retryAfterSeconds(row: FactorialRow, capacity: Capacity, options: ApiOptions): number {
  const secondsLeft = row.progress?.secondsLeft;
  if (secondsLeft !== undefined) return bounded(secondsLeft, options);
  const whole = capacity.planOrUndefined(row.n)?.estimatedSeconds ?? options.retryAfterMaxSeconds;
  const progress = row.progress;
  const left = progress === null || progress.total <= 0 ? 1 : 1 - Math.min(1, progress.done / progress.total);
  return bounded(whole * left, options);
}

function bounded(seconds: number, { retryAfterMinSeconds, retryAfterMaxSeconds }: ApiOptions): number {
  return Math.min(retryAfterMaxSeconds, Math.max(retryAfterMinSeconds, Math.ceil(seconds)));
}
