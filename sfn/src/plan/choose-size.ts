import { type Budget, type FactorialPlan, InputError, PlanCapacityError, planFactorial } from '@factorial/compute';
import { ephemeralStorageGiB } from './aws-task-sizes.ts';
import type { ChosenSize, TaskSize } from './task-size.ts';

/** Reading back and hashing, bytes a second: slow on purpose, so that the estimate is safe. */
const readbackBytesPerSecond = 40_000_000;

export interface CalculateChoice {
  readonly plan: FactorialPlan;
  readonly size: ChosenSize;
  /** What the calculation may use there. */
  readonly budget: Budget;
}

/**
 * The first, hence cheapest, machine on which n! fits in memory, scratch and time. `PlanCapacityError` when it fits none:
 * the largest machine's own reason, or the time it would take.
 */
export function chooseCalculateSize(n: bigint, sizes: readonly TaskSize[]): CalculateChoice {
  let refusal: PlanCapacityError | undefined;
  for (const size of sizes) {
    try {
      const plan = planFactorial(n, size.budget);
      if (plan.estimatedSeconds <= size.maxSeconds) {
        return { plan, budget: size.budget, size: chosen(size, plan.scratchBytes) };
      }
      refusal = tooSlow(n, plan, size);
    } catch (error) {
      if (!(error instanceof PlanCapacityError)) throw error;
      refusal = error;
    }
  }
  throw refusal ?? new InputError('at least one task size', 'none');
}

/** The first machine on which an object of this size can be verified in time; the last one when none is quick enough. */
export function chooseVerifySize(digits: bigint, readbackMaxBytes: bigint, sizes: readonly TaskSize[]): ChosenSize {
  const rate = BigInt(readbackBytesPerSecond);
  const seconds = digits > readbackMaxBytes ? 0 : Number((digits + rate - 1n) / rate);
  const size = sizes.find(({ maxSeconds }) => seconds <= maxSeconds) ?? sizes.at(-1);
  if (size === undefined) throw new InputError('at least one task size', 'none');
  return chosen(size, 0);
}

function chosen(size: TaskSize, scratchBytes: number): ChosenSize {
  return {
    class: size.class,
    cpu: size.cpu,
    memory: size.memory,
    ephemeralStorageGiB: Math.min(size.ephemeralStorageMaxGiB, ephemeralStorageGiB(scratchBytes)),
  };
}

function tooSlow(n: bigint, plan: FactorialPlan, size: TaskSize): PlanCapacityError {
  const days = (seconds: number): string => `${(seconds / 86_400).toFixed(1)} days`;
  return new PlanCapacityError(
    `${n}! would take about ${days(plan.estimatedSeconds)}, a task may take ${days(size.maxSeconds)}`,
    'ask for less',
    undefined,
  );
}
