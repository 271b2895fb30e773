import type { Engine, EngineRunner } from '../engine.ts';
import { planOfBudget } from './external/external-price.ts';
import { externalWorkUnits } from './external/external-work.ts';
import { planArena, priceDecimal, priceDecimalIfFits } from './price.ts';
import { arenaWork, memoryWorkUnits } from './work.ts';

/** Kept, because the module loader takes longer to find it again than a tiny factorial takes. */
let inMemory: Promise<EngineRunner> | undefined;

/** The default engine: radix 10^9 from the leaves on, so that the last product's limbs are the digits. */
export const decimalEngine: Engine = {
  name: 'decimal',
  takesSource: true,
  price: priceDecimal,
  priceIfFits: priceDecimalIfFits,
  workUnits: (facts, { storage, threads }, budget) => {
    if (storage !== 'memory') return externalWorkUnits(facts, planOfBudget(facts, budget, threads, storage));
    const arena = threads === 0 ? undefined : planArena(facts, threads);
    return arena === undefined
      ? Number(facts.digitCount - facts.trailingZeros)
      : memoryWorkUnits(arenaWork(arena), threads);
  },
  sharedMemoryBytes: (facts, { storage, threads }) =>
    storage === 'memory' && threads > 0 ? planArena(facts, threads)?.totalBytes : undefined,
  load: async (plan) => {
    if (plan.storage !== 'memory') return (await import('./external/run-external.ts')).runExternal;
    inMemory ??= import('./run.ts').then(({ runDecimal }) => runDecimal);
    return inMemory;
  },
};
