import { availableParallelism } from 'node:os';
import { type Lane, type Settings, SettingsError } from '@factorial/backing';
import { type Budget, defaultBudget, minMemoryBytes, SharedBudget } from '@factorial/compute';
import { scratchFolder } from './scratch-folder.ts';

/** Share of the compute memory that is kept for the quick lane, so that no long calculation can starve it. */
const quickShare = 0.25;
/** More than this no calculation of two seconds takes on one thread. */
const quickMaxBytes = 320 * 2 ** 20;

/** What calculations of this process may use. */
export interface ComputeBudgets {
  /** What one calculation of each lane may use when no other runs. */
  readonly lanes: Readonly<Record<Lane, Budget>>;
  /** What all of them may use together. */
  newSharedBudget(): SharedBudget;
}

/**
 * The compute memory, threads and scratch as the lanes share them. A small part of the memory is kept for the quick lane, one share and one thread for
 * each of its calculations, so that they never wait; all the rest belongs to whichever long or large calculations run, each planned as if it had it alone
 * and waiting for its turn where the plans do not fit beside each other. Throws `SettingsError` naming the least memory when there is less.
 */
export function computeBudgets(settings: Settings): ComputeBudgets {
  const engine = settings.ENGINE;
  const total = settings.COMPUTE_MEMORY_BYTES ?? defaultBudget().memoryBytes;
  const least = (settings.QUICK_CONCURRENCY + 1) * minMemoryBytes;
  if (total < least) throw new SettingsError([tooLittle(settings, total, least)]);
  const threads = settings.THREADS ?? Math.min(availableParallelism(), 256);
  const quickPart = Math.floor((total * quickShare) / settings.QUICK_CONCURRENCY);
  const quickBytes = Math.min(Math.max(quickPart, minMemoryBytes), quickMaxBytes);
  const quickMemoryBytes = quickBytes * settings.QUICK_CONCURRENCY;
  const scratchBytes = settings.COMPUTE_SCRATCH_BYTES;
  const scratch = scratchBytes === 0 ? {} : { scratchBytes, scratchDir: scratchFolder(settings) };
  const long = defaultBudget({ engine, threads, memoryBytes: total - quickMemoryBytes, ...scratch });
  const quick = defaultBudget({ engine, threads: 1, memoryBytes: quickBytes });
  return Object.freeze({
    lanes: Object.freeze({ 'small.quick': quick, 'small.long': long, large: long }),
    newSharedBudget: () => new SharedBudget({ memoryBytes: total, scratchBytes, quickMemoryBytes }),
  });
}

/** What one calculation of each lane may use. Throws as `computeBudgets` does. */
export function laneBudgets(settings: Settings): ComputeBudgets['lanes'] {
  return computeBudgets(settings).lanes;
}

function tooLittle(settings: Settings, total: number, least: number): string {
  const where = settings.COMPUTE_MEMORY_BYTES === undefined ? ', half of what this machine or container allows' : '';
  return (
    `COMPUTE_MEMORY_BYTES: expected at least ${least} (${least / 2 ** 20}MiB), the least for one calculation beside ` +
    `${settings.QUICK_CONCURRENCY} quick ones, got ${total}${where}; give more, or lower QUICK_CONCURRENCY`
  );
}
