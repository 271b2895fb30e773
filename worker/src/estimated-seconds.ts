import { type Budget, PlanCapacityError, planFactorial } from '@factorial/compute';

/** What the plan says n! takes under a budget; infinite when it does not fit: the claim then fails it with the reason. */
export function estimatedSeconds(n: bigint, budget: Budget): number {
  try {
    return planFactorial(n, budget).estimatedSeconds;
  } catch (error) {
    if (error instanceof PlanCapacityError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
