import { type Budget, type FactorialPlan, PlanCapacityError, planFactorial } from '@factorial/compute';

/** The plan of n! under a budget; undefined when it does not fit: the claimed run then fails with the reason. */
export function planned(n: bigint, budget: Budget): FactorialPlan | undefined {
  try {
    return planFactorial(n, budget);
  } catch (error) {
    if (error instanceof PlanCapacityError) return undefined;
    throw error;
  }
}

/** What the plan says n! takes under a budget; infinite when it does not fit. */
export function estimatedSeconds(n: bigint, budget: Budget): number {
  return planned(n, budget)?.estimatedSeconds ?? Number.POSITIVE_INFINITY;
}
