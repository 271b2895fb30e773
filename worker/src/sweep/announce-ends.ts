import { announceEvent } from '@factorial/backing';
import type { WorkerServices } from '../options.ts';

/** Ends that one sweep announces at most. */
const maxEvents = 500;

/**
 * Announce the ends that whoever ended the row did not: it died, or the broker did not answer. A fault ends this sweep; the rest waits for the next.
 * Resolves to how many were announced.
 *
 * @param idleMs Rows that ended within this time are left to whoever ended them.
 */
export async function announceEnds(
  { metadata, queue }: Pick<WorkerServices, 'metadata' | 'queue'>,
  idleMs: number,
): Promise<number> {
  let announced = 0;
  for (const event of await metadata.unannounced(maxEvents, idleMs)) {
    const fault = await announceEvent(event, { metadata, announce: (told) => queue.announce(told) });
    if (fault !== undefined) throw fault;
    announced += 1;
  }
  return announced;
}
