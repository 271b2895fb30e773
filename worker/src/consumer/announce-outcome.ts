import { announceEnd, type FactorialRow } from '@factorial/backing';
import type { WorkerLog, WorkerServices } from '../options.ts';

/** Tell other systems how a row ended. What cannot be told is logged, and told by a sweep. */
export async function announceOutcome(
  row: FactorialRow,
  { metadata, queue }: Pick<WorkerServices, 'metadata' | 'queue'>,
  log: WorkerLog,
): Promise<void> {
  const fault = await announceEnd(row, { metadata, announce: (event) => queue.announce(event) });
  if (fault === undefined) return;
  log.warn({ number: row.n, event: row.status, reason: fault.message }, 'outcome not announced yet');
}
