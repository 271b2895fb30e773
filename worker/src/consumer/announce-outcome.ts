import { BackingError, type CalculationEvent, type CalculationQueue, type FactorialRow } from '@factorial/backing';
import type { WorkerLog } from '../options.ts';

/** Tell other systems how a row ended. Nobody in this service waits for it: what cannot be told is logged and left. */
export async function announceOutcome(row: FactorialRow, queue: CalculationQueue, log: WorkerLog): Promise<void> {
  const event = eventOf(row);
  if (event === undefined) return;
  try {
    await queue.announce(event);
  } catch (error) {
    if (!(error instanceof BackingError)) throw error;
    log.warn({ number: event.number, event: event.event, reason: error.message }, 'outcome not announced');
  }
}

function eventOf(row: FactorialRow): CalculationEvent | undefined {
  const common = { version: 1, number: row.n.toString(), attempt: row.attempt } as const;
  if (row.status === 'done' && row.checksum !== null) {
    return { ...common, event: 'done', digits: row.digits.toString(), checksum: row.checksum };
  }
  if (row.status === 'failed') return { ...common, event: 'failed', code: row.error?.code ?? 'internal' };
  return undefined;
}
