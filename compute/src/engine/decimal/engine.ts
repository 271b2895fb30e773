import type { Engine } from '../engine.ts';
import { externalWorkUnits } from './external/external-price.ts';
import { priceDecimal, priceDecimalIfFits } from './price.ts';

/** The default engine: radix 10^9 from the leaves on, so that the last product's limbs are the digits. */
export const decimalEngine: Engine = {
  name: 'decimal',
  takesSource: true,
  price: priceDecimal,
  priceIfFits: priceDecimalIfFits,
  workUnits: (facts, plan) =>
    plan.storage === 'memory' ? Number(facts.digitCount - facts.trailingZeros) : externalWorkUnits(facts),
  load: async (plan) =>
    plan.storage === 'memory'
      ? (await import('./run.ts')).runDecimal
      : (await import('./external/run-external.ts')).runExternal,
};
