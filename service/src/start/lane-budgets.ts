import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { Lane, Settings } from '@factorial/backing';
import { type Budget, defaultBudget } from '@factorial/compute';

/** Share of the compute memory that the quick lane keeps for itself, so that no long calculation can starve it. */
const quickShare = 0.25;

/**
 * Divide the compute memory and threads among the lanes, so that everything that can run at once fits together: the quick
 * lane has a quarter of the memory and one thread a calculation, the long lane and the workflow share the rest and the scratch.
 */
export function laneBudgets(settings: Settings): Readonly<Record<Lane, Budget>> {
  const engine = settings.ENGINE;
  const total = settings.COMPUTE_MEMORY_BYTES ?? defaultBudget().memoryBytes;
  const threads = settings.THREADS ?? Math.min(availableParallelism(), 256);
  const quickBytes = Math.floor((total * quickShare) / settings.QUICK_CONCURRENCY);
  const restBytes = Math.floor((total * (1 - quickShare)) / (settings.LONG_CONCURRENCY + settings.LARGE_CONCURRENCY));
  const scratchBytes = Math.floor(
    settings.COMPUTE_SCRATCH_BYTES / (settings.LONG_CONCURRENCY + settings.LARGE_CONCURRENCY),
  );
  const scratchDir = settings.SCRATCH_DIR ?? join(settings.DATA_DIR, 'scratch');
  const scratch = scratchBytes === 0 ? {} : { scratchBytes, scratchDir: resolve(scratchDir) };
  const long = defaultBudget({ engine, threads, memoryBytes: restBytes, ...scratch });
  return Object.freeze({
    'small.quick': defaultBudget({ engine, threads: 1, memoryBytes: quickBytes }),
    'small.long': long,
    large: long,
  });
}
