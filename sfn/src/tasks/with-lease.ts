import { type Claim, LeaseKeeper } from '@factorial/backing';
import type { Progress } from '@factorial/compute';
import type { TaskOptions } from '../task-options.ts';
import type { TaskServices } from '../task-services.ts';

export interface LeasedWork {
  /** Aborts when the task is told to stop or the claim is lost. */
  readonly signal: AbortSignal;
  /** Progress for the row, written with the next heartbeat. */
  readonly report: (progress: Progress) => void;
}

/**
 * Work under the execution's claim: refused at once with `StaleLeaseError` when it is lost, renewed while the work goes
 * on, and left with a lease long enough for the next task to begin. A lease that ran out between two tasks (the process
 * was killed, the container slow to start) is taken up again as long as nobody else claimed the row.
 */
export async function withLease<T>(
  claim: Claim,
  { metadata }: TaskServices,
  options: TaskOptions,
  stop: AbortSignal,
  work: (leased: LeasedWork) => Promise<T>,
): Promise<T> {
  await metadata.renew(claim, options.leaseMs);
  const keepAndWork = async (): Promise<T> => {
    await using lease = new LeaseKeeper(metadata, claim, options);
    const signal = AbortSignal.any([lease.signal, stop]);
    return await work({ signal, report: (progress) => lease.report(progress) });
  };
  const result = await keepAndWork();
  await metadata.renew(claim, options.handoffLeaseMs);
  return result;
}
