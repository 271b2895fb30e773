import { announceEnd, type FactorialRow } from '@factorial/backing';
import type { TaskServices } from '../task-services.ts';

/** Tell other systems that a row is settled. Nobody here depends on it: what is not told now, a worker's sweep tells. */
export async function announceSettled(row: FactorialRow, { metadata, announce }: TaskServices): Promise<void> {
  if (announce !== undefined) await announceEnd(row, { metadata, announce });
}
