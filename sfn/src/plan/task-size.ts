import type { Budget } from '@factorial/compute';

/** Kinds of machine a task can run on: a function, or a container with a machine's share of its own. */
export type TaskClass = 'lambda' | 'fargate';

/** One machine a task can be given, and what the calculation may use of it. */
export interface TaskSize {
  readonly class: TaskClass;
  /** CPU units (1,024 = one vCPU), as the container service takes them. */
  readonly cpu: string;
  /** MiB, as the container service takes them. */
  readonly memory: string;
  /** Largest scratch disk, GiB. */
  readonly ephemeralStorageMaxGiB: number;
  readonly budget: Budget;
  /** The longest estimate that may run here. */
  readonly maxSeconds: number;
}

/** The size of one task, as the plan hands it to the state machine. */
export interface ChosenSize {
  readonly class: TaskClass;
  readonly cpu: string;
  readonly memory: string;
  readonly ephemeralStorageGiB: number;
}
