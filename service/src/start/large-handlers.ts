import { PoisonMessageError, runCalculation } from '@factorial/backing';
import type { TaskHandlers } from '@factorial/sfn';
import type { WorkerOptions, WorkerServices } from '@factorial/worker';

/**
 * The tasks of the state machine, run in this process: claim the row named by the input, carry it to its end, and answer
 * with the outcome of this try (`done`, `retry`, `failed`, `stale`, `released` or `none` when there was nothing to claim).
 */
export function largeHandlers(services: Omit<WorkerServices, 'workflow'>, options: WorkerOptions): TaskHandlers {
  return {
    calculate: async (input, { signal }) => {
      const claimed = await services.metadata.claim(numberOf(input), options.owner, options);
      if (claimed.kind !== 'claimed') return { outcome: 'none' };
      const budget = options.budgets.large;
      const { kind } = await runCalculation(claimed.claim, services, { ...options, budget }, signal);
      return { outcome: kind };
    },
  };
}

function numberOf(input: unknown): bigint {
  if (typeof input === 'object' && input !== null && 'number' in input && typeof input.number === 'string') {
    return BigInt(input.number);
  }
  throw new PoisonMessageError(`expected an input with a member "number", got ${typeof input}`);
}
