import { CorruptObjectError, verifyStored } from '@factorial/backing';
import type { TaskOptions } from '../task-options.ts';
import type { TaskServices } from '../task-services.ts';
import { readDigitsNote, writeDigitsNote } from './notes.ts';
import { parseVerifyInput } from './payload.ts';
import { withLease } from './with-lease.ts';

/**
 * Compare the stored object with the note of what was written, and leave a note that it agrees. `CorruptObjectError` when
 * it does not, or when nothing was written.
 */
export async function verifyTask(
  input: unknown,
  services: TaskServices,
  options: TaskOptions,
  stop: AbortSignal,
): Promise<void> {
  const { claim, readbackMaxBytes } = parseVerifyInput(input);
  const { objects } = services;
  await withLease(claim, services, options, stop, async ({ signal }) => {
    const stored = await readDigitsNote(objects, claim.objectKey, 'stored');
    if (stored === undefined) {
      throw new CorruptObjectError(`expected a note of what was written at ${claim.objectKey}, got none`);
    }
    await verifyStored(claim.objectKey, stored, objects, { readbackMaxBytes, signal });
    await writeDigitsNote(objects, claim.objectKey, 'verified', stored);
  });
}
