import { computeAndStore } from '@factorial/backing';
import type { TaskOptions } from '../task-options.ts';
import type { TaskServices } from '../task-services.ts';
import { readDigitsNote, writeDigitsNote } from './notes.ts';
import { parseCalculateInput } from './payload.ts';
import { withLease } from './with-lease.ts';

/**
 * Compute the digits, stream them into the object store, and leave a note of what was written. Run again after it had
 * finished it only finds that out; run again after it was killed it begins anew, under the same claim and key.
 */
export async function calculateTask(
  input: unknown,
  services: TaskServices,
  options: TaskOptions,
  stop: AbortSignal,
): Promise<void> {
  const { claim, budget } = parseCalculateInput(input);
  const { objects } = services;
  const written = await readDigitsNote(objects, claim.objectKey, 'stored');
  const isWritten = written !== undefined && (await objects.stat(claim.objectKey))?.size === written.size;
  await withLease(claim, services, options, stop, async ({ signal, report }) => {
    if (isWritten) return;
    // Of a run before this one that was killed.
    await objects.abortUploads(claim.objectKey);
    const stored = await computeAndStore(claim, services, {
      budget,
      support: options.support,
      signal,
      onProgress: report,
    });
    await writeDigitsNote(objects, claim.objectKey, 'stored', stored);
  });
}
