import type { WorkerLog, WorkerOptions, WorkerServices } from '../options.ts';
import type { RunRegistry } from './run-registry.ts';

/** What every delivered request is handled with. */
export interface ConsumerContext {
  readonly services: WorkerServices;
  readonly options: WorkerOptions;
  readonly log: WorkerLog;
  readonly runs: RunRegistry;
  /** Aborted when the worker begins to stop: nothing starts any more. */
  readonly drain: AbortSignal;
  /** Aborted when running calculations must end too. */
  readonly stop: AbortSignal;
}
