import type { FactorialRow } from '@factorial/backing';
import type { WorkerServices } from '../options.ts';

export interface PruneOptions {
  /** Remove results until those left hold at most this many bytes together. */
  readonly untilBytes: bigint;
  /** Say what would be removed, and remove nothing. */
  readonly dryRun: boolean;
  /** Called for each result, once it is removed (in a dry run: found). */
  readonly onRemoved?: (row: FactorialRow) => void;
}

export interface PruneSummary {
  readonly removedCount: number;
  readonly removedBytes: bigint;
  /** Bytes of the results that stay. */
  readonly keptBytes: bigint;
}

/** Results looked at together. */
const pageRows = 200;

/**
 * Remove stored results, the least recently read first, until the rest fits. The row goes first, then the cached value, then the
 * object: nobody who asks later finds a row without digits. One that is read meanwhile stays. Whoever is reading an object that is
 * removed reads it to its end, or is told that it ended too soon; digits are never wrong. Safe beside a running service, and twice at once.
 */
export async function pruneResults(
  { metadata, objects, cache }: Pick<WorkerServices, 'metadata' | 'objects' | 'cache'>,
  { untilBytes, dryRun, onRemoved }: PruneOptions,
  signal: AbortSignal,
): Promise<PruneSummary> {
  let keptBytes = (await metadata.usage()).storedBytes;
  let removedCount = 0;
  let removedBytes = 0n;
  // Rows that stay: those of a dry run, and those read while this looked at them.
  let stayingCount = 0;
  while (keptBytes > untilBytes) {
    const page = await metadata.leastRecentlyRead(pageRows, stayingCount);
    if (page.length === 0) break;
    for (const row of page) {
      signal.throwIfAborted();
      if (keptBytes <= untilBytes) break;
      const removed = !dryRun && (await metadata.removeDone(row));
      if (!removed) stayingCount += 1;
      if (!removed && !dryRun) continue;
      if (removed) await removeDigits(row);
      removedCount += 1;
      removedBytes += row.size ?? 0n;
      keptBytes -= row.size ?? 0n;
      onRemoved?.(row);
    }
  }
  return { removedCount, removedBytes, keptBytes };

  async function removeDigits(row: FactorialRow): Promise<void> {
    await cache.delete(row.n);
    await objects.remove(row.objectKey);
  }
}
