import { type FactorialRow, isFinalFailure, StaleLeaseError } from '@factorial/backing';
import type { TaskOptions } from '../task-options.ts';
import type { TaskServices } from '../task-services.ts';
import { announceSettled } from './announce.ts';
import { failureOfState } from './failure-of-state.ts';
import { readErrorNote, removeNotes } from './notes.ts';
import { type CleanUpInput, claimOfRow, executionOwner, parseCleanUpInput } from './payload.ts';

/** How the execution ends. */
export interface Ending {
  /**
   * `done`: published after all. `retry`: the row waits for its next try. `failed`: for good, or cancelled. `superseded`:
   * somebody else owns the row.
   */
  readonly outcome: 'done' | 'retry' | 'failed' | 'superseded';
}

/**
 * Settle the row after a state failed: write the reason, then remove what was written. In that order, so that no late
 * publication can name an object that is gone. A row that this execution does not hold is left alone.
 */
export async function cleanUpTask(input: unknown, services: TaskServices, options: TaskOptions): Promise<Ending> {
  const parsed = parseCleanUpInput(input);
  const row = await services.metadata.find(parsed.n);
  if (row?.status === 'done') return { outcome: 'done' };
  if (row?.status === 'failed') {
    // A failed row names no object: whatever is left under its key is this clean-up's, begun before.
    await removeWritten(row.objectKey, services);
    await announceSettled(row, services);
    return { outcome: 'failed' };
  }
  if (row === undefined || row.leaseOwner !== executionOwner(parsed.execution)) return { outcome: 'superseded' };
  return { outcome: await settle(row, parsed, services, options) };
}

async function settle(
  row: FactorialRow,
  { execution, error }: CleanUpInput,
  services: TaskServices,
  { maxFailures }: TaskOptions,
): Promise<Ending['outcome']> {
  const note = error.name === 'States.TaskFailed' ? await readErrorNote(services.objects, row.objectKey) : undefined;
  const reason = note ?? failureOfState(error);
  const claim = claimOfRow(row, executionOwner(execution));
  try {
    const retryable = !isFinalFailure(reason.code);
    const outcome = await services.metadata.fail(claim, reason, { retryable, maxFailures });
    await removeWritten(row.objectKey, services);
    if (outcome === 'failed') await announceSettled({ ...row, status: 'failed', error: reason }, services);
    return outcome;
  } catch (fault) {
    if (fault instanceof StaleLeaseError) return 'superseded';
    throw fault;
  }
}

async function removeWritten(objectKey: string, { objects }: TaskServices): Promise<void> {
  await objects.abortUploads(objectKey);
  await objects.remove(objectKey);
  await removeNotes(objects, objectKey);
}
