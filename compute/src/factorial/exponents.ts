/**
 * Exponent of the prime p in n!: Legendre's formula ∑ ⌊n / p^k⌋.
 * Restrictions: 0 ≤ n < 2^53 and p ≥ 2, integers (the floor of a double quotient is exact in that range).
 */
export function legendreExponent(n: number, prime: number): number {
  let exponent = 0;
  for (let quotient = Math.floor(n / prime); quotient > 0; quotient = Math.floor(quotient / prime))
    exponent += quotient;
  return exponent;
}

/** Number of trailing decimal zeros of n!: the exponent of 5, which never exceeds that of 2. For any n ≥ 0. */
export function trailingZeroCount(n: bigint): bigint {
  let zeros = 0n;
  for (let quotient = n / 5n; quotient > 0n; quotient /= 5n) zeros += quotient;
  return zeros;
}

/**
 * Exponent of the prime p in n! / 10^z, where z is the number of trailing zeros: 5 is gone and 2 has what 5 left over.
 * Restrictions: as for `legendreExponent`.
 */
export function significantExponent(n: number, prime: number): number {
  if (prime === 5) return 0;
  const exponent = legendreExponent(n, prime);
  return prime === 2 ? exponent - legendreExponent(n, 5) : exponent;
}
