import { defaultHandoffLeaseMs, inProcessTaskHandlers, localTaskSizes, type TaskHandlers } from '@factorial/sfn';
import type { WorkerOptions, WorkerServices } from '@factorial/worker';

/** The tasks of the state machine, run in this process with the memory of the large lane. */
export function largeHandlers(services: Omit<WorkerServices, 'workflow'>, options: WorkerOptions): TaskHandlers {
  const { metadata, objects, queue } = services;
  const announce = queue.announce.bind(queue);
  return inProcessTaskHandlers(
    { metadata, objects, announce },
    {
      leaseMs: options.leaseMs,
      heartbeatMs: options.heartbeatMs,
      handoffLeaseMs: defaultHandoffLeaseMs,
      maxInterruptions: options.maxInterruptions,
      maxFailures: options.maxFailures,
      verifyReadbackMaxBytes: options.verifyReadbackMaxBytes,
      sizes: localTaskSizes(options.budgets.large),
    },
  );
}
