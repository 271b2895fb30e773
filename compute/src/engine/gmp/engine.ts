import type { Engine } from '../engine.ts';
import { decimalLayout } from './layout.ts';
import { priceGmp, priceGmpIfFits } from './price.ts';
import { totalUnits } from './work-units.ts';

/** The reference engine: binary product trees in GMP, converted to decimal by divide and conquer. */
export const gmpEngine: Engine = {
  name: 'gmp',
  takesSource: false,
  price: priceGmp,
  priceIfFits: priceGmpIfFits,
  workUnits: (facts) => totalUnits(decimalLayout(Number(facts.digitCount - facts.trailingZeros))),
  // A thread's GMP has a memory of its own.
  sharedMemoryBytes: () => undefined,
  load: async () => (await import('./run.ts')).runGmp,
};
