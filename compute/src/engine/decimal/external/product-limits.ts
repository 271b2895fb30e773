import { maxShorterCoefficients } from '../../../multiply/prime-constants.ts';
import { transformPrimes } from '../../../multiply/primes.ts';
import { productCoefficients } from '../../../multiply/product-bound.ts';

/** How long a product by residues may be. Restrictions: mostCoefficients ≥ 32, mostTerms ≥ 16, so that halves and their sums are shorter than what was cut. */
export interface ProductLimits {
  /** Coefficients of the product: the smallest prime less one has as many different roots. */
  readonly mostCoefficients: number;
  /** Coefficients of the shorter operand: so many products of two coefficients stay below the product of the primes. */
  readonly mostTerms: number;
}

/** What the five primes allow: 6.46·10^8 coefficients, 3.8·10^8 terms. Bound: mostTerms·(10^18 − 1)² < ∏ p. */
export const fieldLimits: ProductLimits = Object.freeze({
  mostCoefficients: Math.min(...transformPrimes.map(({ p }) => p)) - 1,
  mostTerms: maxShorterCoefficients,
});

/** A product by residues of operands of so many limbs stays within the limits. */
export function isWithinLimits(
  aLimbs: number,
  bLimbs: number,
  { mostCoefficients, mostTerms }: ProductLimits,
): boolean {
  return (
    productCoefficients(aLimbs, bLimbs) <= mostCoefficients && Math.ceil(Math.min(aLimbs, bLimbs) / 2) <= mostTerms
  );
}

/**
 * Where operands that are too long together are cut, in limbs: half of the longer one, a multiple of 8. undefined: within the limits, nothing is cut.
 * The cut leaves parts of at most `splitLimbs` limbs, and three products of them (two when the shorter operand is not cut).
 */
export function splitLimbs(aLimbs: number, bLimbs: number, limits: ProductLimits): number | undefined {
  return isWithinLimits(aLimbs, bLimbs, limits) ? undefined : 8 * Math.ceil(Math.max(aLimbs, bLimbs) / 16);
}
