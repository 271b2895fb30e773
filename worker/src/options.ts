import type {
  CalculationQueue,
  CheckpointFolders,
  DigitCache,
  Lane,
  MetadataStore,
  ObjectStore,
  WorkflowEngine,
} from '@factorial/backing';
import type { Budget, SharedBudget } from '@factorial/compute';
import type { CalculationMetrics } from './metrics/calculation-metrics.ts';

/** The backing services a worker stands on. */
export interface WorkerServices {
  readonly metadata: MetadataStore;
  readonly cache: DigitCache;
  readonly objects: ObjectStore;
  readonly queue: CalculationQueue;
  readonly workflow: WorkflowEngine;
  /** Memory and scratch of all calculations of this process, whoever runs them. */
  readonly sharedBudget: SharedBudget;
  /** Undefined where there is no scratch. */
  readonly checkpoints: CheckpointFolders | undefined;
  /** Undefined where nobody measures. */
  readonly metrics?: CalculationMetrics | undefined;
}

/** How one worker behaves. Frozen before use. */
export interface WorkerOptions {
  /** Names this worker in leases; unique among the workers of one metadata store. */
  readonly owner: string;
  /** Calculations at once, per lane. */
  readonly concurrency: Readonly<Record<Lane, number>>;
  /** What one calculation of a lane may use; what its plan takes of it comes out of the shared budget. */
  readonly budgets: Readonly<Record<Lane, Budget>>;
  /** Time for which threads wait for the next calculation (`ComputeOptions.idleThreadsMs`). */
  readonly idleThreadsMs?: number;
  readonly largeFrom: bigint;
  /** Estimates above this go to the long lane. */
  readonly quickMaxSeconds: number;
  /** A message is acknowledged after its calculation up to this estimate, above it right after the claim. */
  readonly ackAfterDoneMaxSeconds: number;
  /** Longest that a run waits here for memory before its message is published anew, for other workers; undefined where there are none. */
  readonly turnWaitMs: number | undefined;
  readonly leaseMs: number;
  /** Between two renewals of a lease; at most half of `leaseMs`. */
  readonly heartbeatMs: number;
  /** What stored results can be read at, about, when a calculation starts from one. */
  readonly storedBytesPerSecond: number;
  readonly sweepIntervalMs: number;
  /** Rows that one sweep publishes again at most. */
  readonly sweepMaxRows: number;
  /** Unfinished writes and unreferenced objects older than this are removed. */
  readonly unfinishedMaxAgeMs: number;
  readonly maxFailures: number;
  readonly maxInterruptions: number;
  /** Wait before the first repetition of a failed try; doubled each time, at most a minute. */
  readonly retryDelayMs: number;
  /** Stored results up to this size are read back and hashed before they are published. */
  readonly verifyReadbackMaxBytes: bigint;
}

/** Where a worker writes what it does; pino's shape. */
export interface WorkerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
