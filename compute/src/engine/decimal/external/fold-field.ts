import { powerMod, transformPrimes } from '../../../multiply/primes.ts';

/** The least generator of the multiplicative group modulo prime number `primeIndex`. */
export function primitiveRoot(primeIndex: number): bigint {
  const p = BigInt(transformPrimes[primeIndex]!.p);
  const factors = primeFactors(p - 1n);
  for (let g = 2n; ; g++) {
    if (factors.every((factor) => powerMod(g, (p - 1n) / factor, p) !== 1n)) return g;
  }
}

function primeFactors(value: bigint): bigint[] {
  const factors: bigint[] = [];
  let rest = value;
  for (let factor = 2n; factor * factor <= rest; factor++) {
    if (rest % factor !== 0n) continue;
    factors.push(factor);
    while (rest % factor === 0n) rest /= factor;
  }
  return rest > 1n ? [...factors, rest] : factors;
}

/** Most parts for polynomials of `points` coefficients: values of g^(j·points) that differ, for the scarcest of the primes. */
export function maxParts(points: number): number {
  const counts = transformPrimes.map(({ p }) => (p - 1) / greatestCommonDivisor(points, p - 1));
  return Math.min(...counts);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** ψ_j = g^j: part j is modulo x^points − z_j with z_j = −ψ_j^points. */
export function partRoot(primeIndex: number, part: number): bigint {
  return powerMod(primitiveRoot(primeIndex), BigInt(part), BigInt(transformPrimes[primeIndex]!.p));
}

/** z_j, in [1, p). */
export function partConstant(primeIndex: number, part: number, points: number): bigint {
  const p = BigInt(transformPrimes[primeIndex]!.p);
  return p - powerMod(partRoot(primeIndex, part), BigInt(points), p);
}

/**
 * Rows of the inverse Vandermonde matrix: C_t = ∑_j rows[t][j]·R_j where R_j = ∑_t C_t·z_j^t. Lagrange's formula; O(parts²).
 * Restrictions: parts ≤ maxParts(points), so that the z_j differ.
 */
export function interpolationRows(primeIndex: number, parts: number, points: number): bigint[][] {
  const p = BigInt(transformPrimes[primeIndex]!.p);
  const nodes = Array.from({ length: parts }, (_, part) => partConstant(primeIndex, part, points));
  let whole = [1n];
  for (const node of nodes) whole = timesLinear(whole, node, p);
  const rows = Array.from({ length: parts }, () => new Array<bigint>(parts).fill(0n));
  for (const [part, node] of nodes.entries()) {
    // whole / (z − node) by synthetic division, from the highest coefficient down.
    const quotient = new Array<bigint>(parts).fill(0n);
    let carry = 0n;
    for (let power = parts; power >= 1; power--) {
      carry = (whole[power]! + carry * node) % p;
      quotient[power - 1] = carry;
    }
    const value = quotient.reduceRight((sum, coefficient) => (sum * node + coefficient) % p, 0n);
    const scale = powerMod(value, p - 2n, p);
    for (const [power, coefficient] of quotient.entries()) rows[power]![part] = (coefficient * scale) % p;
  }
  return rows;
}

/** polynomial · (z − node), lowest coefficient first. */
function timesLinear(polynomial: readonly bigint[], node: bigint, p: bigint): bigint[] {
  const product = new Array<bigint>(polynomial.length + 1).fill(0n);
  for (const [power, coefficient] of polynomial.entries()) {
    product[power + 1] = (product[power + 1]! + coefficient) % p;
    product[power] = (((product[power]! - coefficient * node) % p) + p) % p;
  }
  return product;
}
