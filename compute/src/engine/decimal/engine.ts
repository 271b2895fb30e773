import type { Engine, EngineRunner } from '../engine.ts';
import { externalWorkUnits } from './external/external-price.ts';
import { priceDecimal } from './price.ts';

/** Kept, because the module loader takes longer to find it again than a tiny factorial takes. */
let inMemory: Promise<EngineRunner> | undefined;

/** The default engine: radix 10^9 from the leaves on, so that the last product's limbs are the digits. */
export const decimalEngine: Engine = {
  name: 'decimal',
  takesSource: true,
  price: priceDecimal,
  workUnits: (facts, plan) =>
    plan.storage === 'scratch' ? externalWorkUnits(facts) : Number(facts.digitCount - facts.trailingZeros),
  load: async (plan) => {
    if (plan.storage === 'scratch') return (await import('./external/run-external.ts')).runExternal;
    inMemory ??= import('./run.ts').then(({ runDecimal }) => runDecimal);
    return inMemory;
  },
};
