import { digitsPerLimb } from '../../multiply/prime-constants.ts';
import type { DecimalArena } from './arena.ts';

/** What takes the time of a run in memory, in seconds of one thread. */
export interface MemoryWork {
  /** Starting, and the tables of roots. */
  readonly tables: number;
  readonly segments: number;
  readonly planes: number;
  readonly chain: number;
  /** The product with a stored m!. */
  readonly source: number;
  readonly total: number;
}

/**
 * Seconds: tables per digit of the result; sieving and residues per number; leaves and planes per digit; chain and last product per digit and its logarithm.
 * Set by tuners/price.ts.
 */
const tablesPerDigit = 1.1e-9;
const siftPerNumber = 9e-9;
const leavesPerDigit = 1.8e-9;
const planesPerDigit = 1.45e-9;
const chainPerDigit = 4e-10;
const sourcePerDigit = 1.45e-10;

/** Wall time until threads are up, the kernels being loaded: most of it the first one's. */
export function startSeconds(threads: number): number {
  return threads < 2 ? 0.045 : 0.07;
}

/** Shares of the segments' work that single segments take: small primes are in many planes. */
export function segmentShares({ n, span, segmentCount }: DecimalArena): number[] {
  const weights = Array.from({ length: segmentCount }, (_, index) => {
    const high = Math.min(n, (index + 1) * span);
    return 1 + 0.5 * Math.log2(Math.max(1, n / Math.max(1, high)));
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** The work of a run with this memory. */
export function arenaWork({ n, sourceNumber, limbCount, sourceLimbs, threads }: DecimalArena): MemoryWork {
  const sourceDigits = digitsPerLimb * sourceLimbs;
  return memoryWork(n, sourceNumber, digitsPerLimb * limbCount - sourceDigits, sourceDigits, threads);
}

/** `digits`: of what the primes are multiplied to; `sourceDigits`: of the stored m!, 0 = none. */
function memoryWork(n: number, m: number, digits: number, sourceDigits: number, threads: number): MemoryWork {
  const tables = startSeconds(threads) * lanes(threads) + tablesPerDigit * (digits + sourceDigits);
  const segments = siftPerNumber * (n + m) + leavesPerDigit * digits;
  const planes = planesPerDigit * digits;
  const chain = chainPerDigit * digits * Math.log2(digits + 2);
  const whole = digits + sourceDigits;
  const source = sourceDigits === 0 ? 0 : sourcePerDigit * whole * Math.log2(whole);
  return { tables, segments, planes, chain, source, total: tables + segments + planes + chain + source };
}

/** Wall time of emitting a digit. */
const emissionPerDigit = 1.2e-9;

export function emissionSeconds(digits: number): number {
  return emissionPerDigit * digits;
}

/** What so many threads come to. */
export function lanes(threads: number): number {
  return Math.max(1, 0.95 * threads);
}

/** Work units before emission, where a digit emitted is one. */
export function memoryWorkUnits(work: MemoryWork, threads: number): number {
  return Math.ceil(work.total / lanes(threads) / emissionPerDigit);
}
