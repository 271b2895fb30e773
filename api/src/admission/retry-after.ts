import type { FactorialRow } from '@factorial/backing';
import type { ApiOptions } from '../options.ts';
import type { Capacity } from './capacity.ts';

/** Seconds after which it is worth asking for an unfinished row again, by its plan and progress, within the bounds. */
export function retryAfterSeconds(row: FactorialRow, capacity: Capacity, options: ApiOptions): number {
  const { retryAfterMinSeconds, retryAfterMaxSeconds } = options;
  const whole = capacity.planOrUndefined(row.n)?.estimatedSeconds ?? retryAfterMaxSeconds;
  const progress = row.progress;
  const left = progress === null || progress.total <= 0 ? 1 : 1 - Math.min(1, progress.done / progress.total);
  return Math.min(retryAfterMaxSeconds, Math.max(retryAfterMinSeconds, Math.ceil(whole * left)));
}
