import { mostLevels } from '../../../multiply/transform-shape.ts';
import {
  fillTableTask,
  placeTables,
  residueAreaBytes,
  residueArrayBytes,
  scratchBytes,
  tablesBytes,
  tableTaskCount,
} from '../../../multiply/workspace.ts';
import type { KernelInstance, Ptr } from '../../../wasm/bridge.ts';
import { leafWords, residueTableBytes, type ThreadScratch, takeScratch } from '../arena.ts';
import type { LeafState } from '../segment-products.ts';
import { defaultTuning } from '../tuning.ts';
import type { Take } from './region.ts';
import type { ResiduePair } from './stored-number.ts';

/** Limbs that a prime of a run takes: one, as a 32-bit word, or two, as a 64-bit word. */
export type PrimeLimbs = 1 | 2;

/** The largest n whose primes are below one limb: the next number is a prime beyond it. */
export const largestOneLimbNumber = 1_000_000_006;

export function primeLimbsOf(n: number): PrimeLimbs {
  return n <= largestOneLimbNumber ? 1 : 2;
}

/** Most primes among `span` numbers. Bound: fewer than 2·span/ln span (Brun and Titchmarsh). */
export function segmentPrimes(span: number): number {
  return Math.ceil((2 * span) / Math.log(span)) + 64;
}

/** Coefficients of the largest product within one segment of the sieve. */
export function segmentCoefficients(span: number, primeLimbs: PrimeLimbs): number {
  return Math.min(defaultTuning.aloneCoefficients, 4 * Math.ceil((primeLimbs * segmentPrimes(span)) / 4));
}

/** Addresses of a segment task. */
export function segmentLayout(take: Take, n: number, span: number, primeLimbs: PrimeLimbs) {
  const coefficients = segmentCoefficients(span, primeLimbs);
  const levels = mostLevels(coefficients);
  return {
    levels,
    // Every other number up to √n at most.
    basePrimesPtr: take(2 * Math.sqrt(n) + 64),
    tablesPtr: take(tablesBytes(levels)),
    scratch:
      primeLimbs === 1
        ? takeScratch(take, span, coefficients, defaultTuning)
        : takeLargeScratch(take, n, span, coefficients),
    residueTablePtr: take(residueTableBytes),
    accPtr: take(16),
  };
}

/** Odd numbers that the sieve for primes beyond one limb crosses out at a time, a byte each: about as many as there are base primes, within a cache. */
export function largeSieveBytes(n: number, span: number): number {
  const wanted = 2 ** Math.ceil(Math.log2(Math.sqrt(n) / 4));
  return Math.max(2 ** 11, Math.min(2 ** 20, span / 2, Math.max(2 ** 15, wanted)));
}

/** One thread's memory where primes take two limbs: pairs of 16 bytes, entries of 8. */
function takeLargeScratch(take: Take, n: number, span: number, coefficients: number): ThreadScratch {
  const primes = segmentPrimes(span);
  const leafBytes = 4 * Math.ceil(primes * (2 + 24 / leafWords) + 128);
  const areaBytes = residueAreaBytes(coefficients) + 4 * residueArrayBytes(coefficients);
  return {
    kernelPtr: take(scratchBytes),
    areaPtr: take(areaBytes),
    areaBytes,
    pairsPtr: take(16 * primes),
    sievePtr: take(largeSieveBytes(n, span)),
    wordsPtr: take(8 * (primes + 1)),
    leafPtrs: [take(leafBytes), take(leafBytes)],
    leafScratchPtr: take(4 * (4 * leafWords + 32 * 32)),
  };
}

/** A thread's state for products of listed words, its tables filled. */
export function makeLeafState(instance: KernelInstance, layout: ReturnType<typeof segmentLayout>): LeafState {
  const { scratch, levels } = layout;
  const tables = placeTables(instance, layout.tablesPtr, levels);
  for (let task = 0; task < tableTaskCount(levels); task++) fillTableTask(instance, tables, task, scratch.kernelPtr);
  return {
    instance,
    scratch,
    worker: { instance, tables, scratchPtr: scratch.kernelPtr },
    ownArea: { ptr: scratch.areaPtr, bytes: scratch.areaBytes },
  };
}

/** Residues of `limbCount` limbs in memory. Restrictions: the table is filled. */
export function digestLimbs(
  { longs, kernels }: KernelInstance,
  tablePtr: Ptr,
  accPtr: Ptr,
  limbsPtr: Ptr,
  limbCount: number,
): ResiduePair {
  longs.fill(0n, accPtr >> 3, (accPtr >> 3) + 2);
  kernels.appendLimbResidues(tablePtr, limbsPtr, limbCount, accPtr);
  return [longs[accPtr >> 3]!, longs[(accPtr >> 3) + 1]!];
}
