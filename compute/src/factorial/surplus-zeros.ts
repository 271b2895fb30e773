import { legendreExponent } from './exponents.ts';

/**
 * Zeros at the end of m! / 10^z(m) times (m + 1)…n without its powers of ten: as many as (m + 1)…n has factors 5 more than 2, which meet those 2 that
 * m! has more than 5. 25 alone has two. Restrictions: 0 ≤ m ≤ n < 2^53.
 */
export function surplusZeros(n: number, m: number): number {
  const added = (prime: number) => legendreExponent(n, prime) - legendreExponent(m, prime);
  return m === 0 ? 0 : Math.max(0, added(5) - added(2));
}
