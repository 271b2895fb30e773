import { defaultHandoffLeaseMs, inProcessTaskHandlers, localTaskSizes, type TaskHandlers } from '@factorial/sfn';
import type { WorkerLog, WorkerOptions, WorkerServices } from '@factorial/worker';

/** The tasks of the state machine, run in this process; what they compute in is the shared budget's. */
export function largeHandlers(
  services: Omit<WorkerServices, 'workflow'>,
  options: WorkerOptions,
  log: WorkerLog,
): TaskHandlers {
  const { metadata, objects, queue, sharedBudget, checkpoints } = services;
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
      // A task may wait longer for its part of the memory than a function may last.
      sizes: localTaskSizes(options.budgets.large).filter((size) => size.class === 'fargate'),
      support: { sharedBudget, checkpoints, idleThreadsMs: options.idleThreadsMs, log },
    },
  );
}
