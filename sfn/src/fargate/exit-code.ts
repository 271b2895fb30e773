import { failureReason, isRetryable, StaleLeaseError } from '@factorial/backing';
import type { TaskServices } from '../task-services.ts';
import { writeErrorNote } from '../tasks/notes.ts';
import { parsePublishInput } from '../tasks/payload.ts';

/** How a container ends. */
export const exitCodes = Object.freeze({
  done: 0,
  /** The same input will fail again. */
  final: 70,
  /** Another try may succeed. */
  retryable: 75,
  /** Told to stop: the sum of 128 and SIGTERM. */
  stopped: 143,
});

/**
 * The exit code of a task that threw, after leaving the reason where the clean-up finds it. A container that was told to
 * stop or lost its claim has nothing to say about the row.
 */
export async function exitCodeOf(
  error: unknown,
  input: unknown,
  { objects }: TaskServices,
  stop: AbortSignal,
): Promise<number> {
  if (stop.aborted) return exitCodes.stopped;
  if (error instanceof StaleLeaseError) return exitCodes.final;
  const { claim } = parsePublishInput(input);
  await writeErrorNote(objects, claim.objectKey, failureReason(error));
  return isRetryable(error) ? exitCodes.retryable : exitCodes.final;
}
