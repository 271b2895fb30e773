import type { Engine } from '../engine.ts';
import { externalWorkUnits } from './external/external-price.ts';
import { priceDecimal } from './price.ts';

/** The default engine: radix 10^9 from the leaves on, so that the last product's limbs are the digits. */
export const decimalEngine: Engine = {
  name: 'decimal',
  takesSource: true,
  price: priceDecimal,
  workUnits: (facts, plan) =>
    plan.storage === 'scratch' ? externalWorkUnits(facts) : Number(facts.digitCount - facts.trailingZeros),
  load: async (plan) =>
    plan.storage === 'memory'
      ? (await import('./run.ts')).runDecimal
      : (await import('./external/run-external.ts')).runExternal,
};
