import { togetherBytes } from '../../multiply/residue.ts';

/** The thresholds between ways of doing the same, so that a tuner can try others: tuners/thresholds.ts. */
export interface Tuning {
  /** Coefficients of the largest product that one thread makes by itself while others do likewise; larger ones are shared. */
  readonly aloneCoefficients: number;
  /** Coefficients up to which one thread does a step of the chain by itself: below it the team's meetings cost more than they bring. */
  readonly chainAloneCoefficients: number;
  /** Bytes of residues up to which a product takes all primes together (multiply/residue.ts). */
  readonly togetherBytes: number;
}

/** Set by tuners/thresholds.ts. */
export const defaultTuning: Tuning = { aloneCoefficients: 1 << 15, chainAloneCoefficients: 1 << 12, togetherBytes };
