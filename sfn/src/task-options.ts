import type { ClaimLimits, LeaseTimes, RunSupport } from '@factorial/backing';
import type { TaskSize } from './plan/task-size.ts';

/** How the tasks of the state machine behave. Frozen before use. */
export interface TaskOptions extends LeaseTimes, Pick<ClaimLimits, 'maxInterruptions'> {
  /** Lease from the end of one task to the beginning of the next: a container takes minutes to start. */
  readonly handoffLeaseMs: number;
  /** Failed tries of one attempt before the row is failed for good. */
  readonly maxFailures: number;
  /** Stored results up to this size are read back and hashed before they are published. */
  readonly verifyReadbackMaxBytes: bigint;
  /** The machines a task may be given, cheapest first. */
  readonly sizes: readonly TaskSize[];
  /** What the process lends a calculation: the memory and scratch it shares with others, and its checkpoints. Undefined where a task has a machine of its own. */
  readonly support?: RunSupport;
}

/** Default of `handoffLeaseMs`: five minutes. */
export const defaultHandoffLeaseMs = 300_000;
