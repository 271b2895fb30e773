/** One prime of the residue arithmetic: p = k·2^23 + 1 in (5·10^8, 10^9), so that p < 2^30 allows residues in [0, 4p) and a limb is below 2p. */
export interface TransformPrime {
  readonly p: number;
  /** An element of order 2^23. */
  readonly root: number;
}

/** Two-adicity that all primes have. */
export const log2Order = 23;

/**
 * The five largest primes k·2^23 + 1 below 10^9. Their product exceeds 3.8·10^44, so that coefficients below 10^18 may
 * meet in sums of 3.8·10^8 products. The roots are asserted by literature/check-constants.ts.
 */
export const transformPrimes: readonly TransformPrime[] = [645922817, 754974721, 880803841, 897581057, 998244353].map(
  (p) => ({ p, root: elementOfFullOrder(p) }),
);

/** base^exponent mod modulus. */
export function powerMod(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = ((base % modulus) + modulus) % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** The least g^((p−1)/2^23) of order 2^23: half of all g give one. */
function elementOfFullOrder(p: number): number {
  const modulus = BigInt(p);
  for (let g = 2n; ; g++) {
    const candidate = powerMod(g, (modulus - 1n) >> BigInt(log2Order), modulus);
    if (powerMod(candidate, 1n << BigInt(log2Order - 1), modulus) === modulus - 1n) return Number(candidate);
  }
}
