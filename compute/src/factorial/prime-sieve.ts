import { InputError } from '../errors.ts';

/** Bytes of one sieve segment when the caller does not say: fits a level-2 cache beside the base primes. */
export const defaultSegmentBytes = 128 * 1024;

export interface SieveOptions {
  /** Bytes of one segment, 1…2^30; one byte stands for one odd number. */
  readonly segmentBytes?: number;
}

/**
 * All primes p with low ≤ p ≤ high in increasing order, as one array per non-empty segment. A yielded array is fresh and belongs
 * to the caller; at most segmentBytes + 1 primes are in it.
 *
 * Segmented sieve of Eratosthenes over odd numbers. Memory: segmentBytes plus the primes up to √high, whatever high is.
 * Restrictions: 0 ≤ high < 2^53; numbers are exact doubles, so limits beyond 2^32 are fine.
 */
export function* primeSegments(low: number, high: number, options: SieveOptions = {}): Generator<Float64Array> {
  const segmentBytes = options.segmentBytes ?? defaultSegmentBytes;
  assertRange(low, high, segmentBytes);
  if (low <= 2 && high >= 2) yield Float64Array.of(2);
  const firstOdd = Math.max(3, low + ((low + 1) % 2));
  if (firstOdd > high) return;
  const basePrimes = oddPrimesUpTo(Math.floor(Math.sqrt(high)));
  // One buffer for all segments: a byte is 1 when its odd number is known to be composite.
  const composite = new Uint8Array(Math.min(segmentBytes, Math.floor((high - firstOdd) / 2) + 1));
  for (let segmentStart = firstOdd; segmentStart <= high; segmentStart += 2 * composite.length) {
    const oddCount = Math.min(composite.length, Math.floor((high - segmentStart) / 2) + 1);
    composite.fill(0, 0, oddCount);
    crossOut(composite, oddCount, segmentStart, basePrimes);
    const primes = collect(composite, oddCount, segmentStart);
    if (primes.length > 0) yield primes;
  }
}

/** The primes up to `limit` in one array: for small limits only. */
export function primesUpTo(limit: number): Float64Array {
  const segments = [...primeSegments(0, limit)];
  const primes = new Float64Array(segments.reduce((count, segment) => count + segment.length, 0));
  let offset = 0;
  for (const segment of segments) {
    primes.set(segment, offset);
    offset += segment.length;
  }
  return primes;
}

function assertRange(low: number, high: number, segmentBytes: number): void {
  if (!Number.isSafeInteger(low) || low < 0 || !Number.isSafeInteger(high)) {
    throw new InputError('sieve limits that are integers from 0 to 2^53 - 1', `${low} and ${high}`);
  }
  if (!Number.isSafeInteger(segmentBytes) || segmentBytes < 1 || segmentBytes > 2 ** 30) {
    throw new InputError('segmentBytes from 1 to 2^30', `${segmentBytes}`);
  }
}

/** Mark the multiples of the base primes among the odd numbers segmentStart, segmentStart + 2, … */
function crossOut(composite: Uint8Array, oddCount: number, segmentStart: number, basePrimes: Float64Array): void {
  const segmentEnd = segmentStart + 2 * (oddCount - 1);
  for (const prime of basePrimes) {
    const square = prime * prime;
    if (square > segmentEnd) return;
    let multiple = square;
    if (square < segmentStart) {
      multiple = Math.ceil(segmentStart / prime) * prime;
      if (multiple % 2 === 0) multiple += prime;
    }
    for (let index = (multiple - segmentStart) / 2; index < oddCount; index += prime) composite[index] = 1;
  }
}

function collect(composite: Uint8Array, oddCount: number, segmentStart: number): Float64Array {
  let primeCount = oddCount;
  for (let index = 0; index < oddCount; index++) primeCount -= composite[index]!;
  const primes = new Float64Array(primeCount);
  let found = 0;
  for (let index = 0; index < oddCount; index++) {
    if (composite[index] === 0) primes[found++] = segmentStart + 2 * index;
  }
  return primes;
}

/** The odd primes up to `limit` by the same sieve, its own base primes found by recursion on √limit. */
function oddPrimesUpTo(limit: number): Float64Array {
  if (limit < 3) return new Float64Array(0);
  const primes = primesUpTo(limit);
  return primes.subarray(1);
}
