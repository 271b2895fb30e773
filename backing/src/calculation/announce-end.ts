import { BackingError } from '../contracts/errors.ts';
import type { CalculationEvent } from '../contracts/event.ts';
import type { MetadataStore } from '../metadata/metadata-store.ts';
import { eventOf } from '../metadata/outcomes.ts';

type EndedRow = Parameters<typeof eventOf>[0];

export interface AnnouncingServices {
  readonly metadata: Pick<MetadataStore, 'announced'>;
  readonly announce: (event: CalculationEvent) => Promise<void>;
}

/**
 * Tell other systems how a row ended. Nobody in this service waits for it: what cannot be told now stays recorded, and a sweep tells it later.
 * At least once: the fault between telling and forgetting tells it twice. Resolves to the fault, or undefined; a row that has not ended is passed over.
 */
export async function announceEnd(row: EndedRow, services: AnnouncingServices): Promise<BackingError | undefined> {
  const event = eventOf(row);
  return event && (await announceEvent(event, services));
}

/** The same for an end that the store recorded. */
export async function announceEvent(
  event: CalculationEvent,
  { metadata, announce }: AnnouncingServices,
): Promise<BackingError | undefined> {
  try {
    await announce(event);
    await metadata.announced(BigInt(event.number), event.attempt);
    return undefined;
  } catch (fault) {
    if (fault instanceof BackingError) return fault;
    throw fault;
  }
}
