import { availableParallelism } from 'node:os';
import { type Lane, type Settings, SettingsError } from '@factorial/backing';
import { type Budget, defaultBudget, minMemoryBytes } from '@factorial/compute';
import { scratchFolder } from './scratch-folder.ts';

/** Share of the compute memory that the quick lane keeps for itself, so that no long calculation can starve it. */
const quickShare = 0.25;

/**
 * Divide the compute memory and threads among the lanes, so that everything that can run at once fits together: the quick
 * lane has a quarter of the memory (at least the least budget a calculation) and one thread a calculation, the long lane
 * and the workflow share the rest and the scratch. Throws `SettingsError` when the memory is too little for what may run at once.
 */
export function laneBudgets(settings: Settings): Readonly<Record<Lane, Budget>> {
  const engine = settings.ENGINE;
  const total = settings.COMPUTE_MEMORY_BYTES ?? defaultBudget().memoryBytes;
  const threads = settings.THREADS ?? Math.min(availableParallelism(), 256);
  const slots = settings.QUICK_CONCURRENCY + settings.LONG_CONCURRENCY + settings.LARGE_CONCURRENCY;
  if (total < slots * minMemoryBytes) {
    throw new SettingsError([
      `COMPUTE_MEMORY_BYTES: expected at least ${slots * minMemoryBytes} for ${slots} calculations at once, got ${total}; ` +
        'give more, or lower QUICK_CONCURRENCY, LONG_CONCURRENCY or LARGE_CONCURRENCY',
    ]);
  }
  const quickBytes = Math.max(Math.floor((total * quickShare) / settings.QUICK_CONCURRENCY), minMemoryBytes);
  const restTotal = total - quickBytes * settings.QUICK_CONCURRENCY;
  const restSlots = settings.LONG_CONCURRENCY + settings.LARGE_CONCURRENCY;
  const scratch = scratchOf(settings, restSlots);
  const long = defaultBudget({ engine, threads, memoryBytes: Math.floor(restTotal / restSlots), ...scratch });
  return Object.freeze({
    'small.quick': defaultBudget({ engine, threads: 1, memoryBytes: quickBytes }),
    'small.long': long,
    large: long,
  });
}

/** Disk of each of this many calculations, and where. */
function scratchOf(settings: Settings, slots: number): Partial<Budget> {
  const scratchBytes = Math.floor(settings.COMPUTE_SCRATCH_BYTES / slots);
  return scratchBytes === 0 ? {} : { scratchBytes, scratchDir: scratchFolder(settings) };
}
