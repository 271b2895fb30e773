import { significantExponent } from './exponents.ts';
import { primeSegments, type SieveOptions } from './prime-sieve.ts';

/**
 * Exponent planes (A. Schönhage, "Fast algorithms", 1994): with e_p the exponent of p in n! / 10^z,
 *
 *   n! / 10^z = ∏_i P_i^(2^i),   P_i = ∏_{p : bit i of e_p is set} p,
 *
 * so that from the highest plane down R ← R² · P_i ends with R = n! / 10^z, and nearly all work lies in the last steps.
 */

/** Number of planes of n! / 10^z: one more than the highest bit of any exponent; 0 when the product is 1. */
export function planeCount(n: number): number {
  const largest = Math.max(significantExponent(n, 2), n >= 3 ? significantExponent(n, 3) : 0);
  return largest === 0 ? 0 : Math.floor(Math.log2(largest)) + 1;
}

/** Largest number that can be a prime of this plane: e_p ≤ (n − 1)/(p − 1) must reach 2^plane. */
export function planeLimit(n: number, plane: number): number {
  return n < 2 ? 0 : Math.min(n, Math.floor((n - 1) / 2 ** plane) + 1);
}

/**
 * The primes of one plane in increasing order, a segment at a time, so that no plane is ever held whole.
 * Planes sieve their own range again (n, n/2, n/4, …: twice the work of one sieve in all).
 * Restrictions: 0 ≤ n < 2^53, plane ≥ 0. A yielded array belongs to the caller and may be empty.
 */
export function* planePrimes(n: number, plane: number, options: SieveOptions = {}): Generator<Float64Array> {
  const weight = 2 ** plane;
  for (const segment of primeSegments(0, planeLimit(n, plane), options)) {
    let kept = 0;
    for (const prime of segment) {
      const bit = Math.floor(significantExponent(n, prime) / weight) % 2;
      segment[kept] = prime;
      kept += bit;
    }
    yield segment.subarray(0, kept);
  }
}
