import { type FactorialRow, TransientError } from '@factorial/backing';
import type { TaskServices } from '../task-services.ts';

/** Tell other systems that a row is settled. Nobody here depends on it: a broker that does not answer is passed over. */
export async function announceSettled(row: FactorialRow, { announce }: TaskServices): Promise<void> {
  if (announce === undefined) return;
  const common = { version: 1, number: row.n.toString(), attempt: row.attempt } as const;
  try {
    if (row.status === 'done' && row.checksum !== null) {
      await announce({ ...common, event: 'done', digits: row.digits.toString(), checksum: row.checksum });
    } else if (row.status === 'failed') {
      await announce({ ...common, event: 'failed', code: row.error?.code ?? 'internal' });
    }
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
  }
}
