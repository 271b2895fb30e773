import { type Claim, CorruptObjectError, type FactorialRow, StaleLeaseError } from '@factorial/backing';
import type { TaskServices } from '../task-services.ts';
import { announceSettled } from './announce.ts';
import { readDigitsNote, removeNotes } from './notes.ts';
import { parsePublishInput } from './payload.ts';

export interface Publication {
  readonly size: string;
  readonly checksum: string;
}

/**
 * `uploading` → `done` with size and checksum, `max_factorial` raised. Only what was verified: `CorruptObjectError`
 * otherwise. Run again it finds the row done under its own key.
 */
export async function publishTask(input: unknown, services: TaskServices): Promise<Publication> {
  const { claim } = parsePublishInput(input);
  const row = (await publishedRow(claim, services)) ?? (await publish(claim, services));
  await removeNotes(services.objects, claim.objectKey);
  await announceSettled(row, services);
  return { size: String(row.size), checksum: row.checksum ?? '' };
}

async function publish(claim: Claim, services: TaskServices): Promise<FactorialRow> {
  const verified = await readDigitsNote(services.objects, claim.objectKey, 'verified');
  if (verified === undefined) {
    throw new CorruptObjectError(`expected the object at ${claim.objectKey} to be verified, got no note of it`);
  }
  try {
    return await services.metadata.complete(claim, verified);
  } catch (error) {
    // Two runs of this task at once: the other one published.
    const row = error instanceof StaleLeaseError ? await publishedRow(claim, services) : undefined;
    if (row === undefined) throw error;
    return row;
  }
}

async function publishedRow(claim: Claim, { metadata }: TaskServices): Promise<FactorialRow | undefined> {
  const row = await metadata.find(claim.n);
  return row?.status === 'done' && row.objectKey === claim.objectKey ? row : undefined;
}
