import { setTimeout as delay } from 'node:timers/promises';
import type { FactorialRow, MetadataStore } from '@factorial/backing';
import { metadataOf } from '../schemas/metadata.ts';

/** How a stream of events is paced and ended. */
export interface EventPacing {
  readonly pollMs: number;
  readonly heartbeatMs: number;
  /** The stream ends after this long, finished or not. */
  readonly maxMs: number;
}

/** Identity of what a row looks like to a client: the same state has the same id, on whatever server. */
export function eventIdOf(row: FactorialRow): string {
  const done = row.progress === null ? '-' : `${row.progress.phase}.${row.progress.done}`;
  return `${row.attempt}.${row.fence}.${row.status}.${done}`;
}

/** Whether nothing more will happen to this attempt. */
export function isSettled(row: FactorialRow): boolean {
  return row.status === 'done' || row.status === 'failed';
}

/**
 * Server-sent events for one row, as text: `progress` for each change seen by polling, then `done` or `failed`, and
 * the end. A state whose id is `lastEventId` is not sent again. Comments keep an idle connection alive. Ends early when
 * the signal aborts, the row is removed, or `maxMs` have passed.
 */
export async function* rowEvents(
  first: FactorialRow,
  metadata: MetadataStore,
  pacing: EventPacing,
  lastEventId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const startedAt = performance.now();
  let sentId = lastEventId;
  let sentAt = startedAt;
  yield 'retry: 2000\n\n';
  for (let row: FactorialRow | undefined = first; row !== undefined; row = await metadata.find(first.n)) {
    const id = eventIdOf(row);
    if (id !== sentId) {
      yield formatEvent(row, id);
      sentId = id;
      sentAt = performance.now();
    }
    const now = performance.now();
    if (isSettled(row) || now - startedAt >= pacing.maxMs) return;
    if (now - sentAt >= pacing.heartbeatMs) {
      yield ': still here\n\n';
      sentAt = now;
    }
    if (!(await pause(pacing.pollMs, signal))) return;
  }
}

function formatEvent(row: FactorialRow, id: string): string {
  const name = isSettled(row) ? row.status : 'progress';
  return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(metadataOf(row))}\n\n`;
}

/** false when the signal aborted meanwhile. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
