import { KernelError } from '../errors.ts';
import { maxShorterCoefficients } from './prime-constants.ts';

/** Number of coefficients of a product of limb counts a and b, rounded up to whole groups of four. */
export function productCoefficients(aLimbs: number, bLimbs: number): number {
  return 4 * Math.ceil((aLimbs + bLimbs) / 8);
}

/** Throws when a product of these limb counts could have a coefficient that the primes do not hold. */
export function assertProductBound(aLimbs: number, bLimbs: number): void {
  const shorter = Math.ceil(Math.min(aLimbs, bLimbs) / 2);
  if (shorter <= maxShorterCoefficients) return;
  throw new KernelError(
    `expected at most ${maxShorterCoefficients} coefficients in the shorter operand, got ${shorter}`,
  );
}

/** Throws when something is carried beyond the limbs that a product has. */
export function assertNothingCarried(carry: number): void {
  if (carry === 0) return;
  const message = `expected no carry beyond a product's highest limb, got ${carry}: its residues were wrong`;
  throw new KernelError(message, { code: 'verification-failed' });
}
