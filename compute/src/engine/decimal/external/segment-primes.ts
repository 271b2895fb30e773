import { primesUpTo } from '../../../factorial/prime-sieve.ts';
import type { DecimalNumber } from '../../../limbs/decimal-number.ts';
import type { KernelInstance } from '../../../wasm/bridge.ts';
import { type LeafState, largestExponent, multiplyList } from '../segment-products.ts';
import { largeSieveBytes, makeLeafState, type PrimeLimbs, type segmentLayout } from './alone-state.ts';
import type { ResiduePair } from './stored-number.ts';

/** The numbers that a segment of the sieve stands for: those of [low, low + span) up to n, exact doubles below 2^53. */
export interface SegmentRange {
  readonly n: number;
  /** m of the stored m! that the run starts from, whose factors are left out; 0 = none. */
  readonly sourceNumber: number;
  readonly low: number;
  readonly span: number;
  /** 2 where primes may exceed one limb; any n may be taken that way. */
  readonly primeLimbs: PrimeLimbs;
}

/** The primes of a segment with their exponents in n! / m! without its powers of ten, in a thread's memory. */
export interface SegmentPrimes {
  /** The largest exponent: no plane beyond its bits has a prime. */
  readonly largestExponent: number;
  /** ∏ p^e modulo the verification moduli: of what is multiplied, and of m!. */
  readonly powerResidues: ResiduePair;
  readonly sourceResidues: ResiduePair;
  /** The product of one plane's primes, in the thread's memory until the next call; undefined when there are none. */
  multiplyPlane(plane: number): DecimalNumber | undefined;
}

let lastBase: { readonly limit: number; readonly primes: Float64Array } | undefined;

/** The odd primes up to √n; those of the last n are kept, for the next segment of the same run. */
function basePrimes(n: number): Float64Array {
  const limit = Math.floor(Math.sqrt(n));
  if (lastBase?.limit !== limit) lastBase = { limit, primes: primesUpTo(limit).subarray(1) };
  return lastBase.primes;
}

/** Sieves a segment: in 32 bits where every prime is below one limb, else in 64. */
export function listSegmentPrimes(
  instance: KernelInstance,
  layout: ReturnType<typeof segmentLayout>,
  range: SegmentRange,
): SegmentPrimes {
  const { n, sourceNumber, low, span, primeLimbs } = range;
  const base = basePrimes(n);
  instance.words.set(base, layout.basePrimesPtr >> 2);
  const state = makeLeafState(instance, layout);
  const lists = primeLimbs === 1 ? wordLists(state, layout, base.length) : longLists(state, layout, range, base.length);
  const high = Math.min(n, low + span - 1);
  const at = layout.accPtr >> 3;
  const list = (last: number, top: number, without: number) => {
    instance.longs.fill(1n, at, at + 2);
    const count = last < low ? 0 : lists.list(low, last, top, without);
    const residues: ResiduePair = [instance.longs[at]!, instance.longs[at + 1]!];
    return { count, residues };
  };
  const source = list(Math.min(high, sourceNumber), sourceNumber, 0);
  const { count, residues } = list(high, n, sourceNumber);
  return {
    largestExponent: lists.largestExponent(count, sourceNumber > 0),
    powerResidues: residues,
    sourceResidues: source.residues,
    multiplyPlane: (plane) => lists.multiplyPlane(count, plane),
  };
}

/** Lists of primes with exponents in a thread's memory, each in the place of the one before. */
interface PrimeLists {
  /** Lists the primes in [low, high] with their exponents in n! / m!, multiplies the residues at accPtr by ∏ p^e; returns how many. */
  list(low: number, high: number, n: number, m: number): number;
  largestExponent(count: number, isQuotient: boolean): number;
  multiplyPlane(count: number, plane: number): DecimalNumber | undefined;
}

function wordLists(
  state: LeafState,
  { basePrimesPtr, accPtr, scratch }: ReturnType<typeof segmentLayout>,
  baseCount: number,
): PrimeLists {
  const { kernels } = state.instance;
  const { pairsPtr, sievePtr, wordsPtr } = scratch;
  return {
    list(low, high, n, m) {
      const count = kernels.listPrimePowers(basePrimesPtr, baseCount, low, high, n, m, sievePtr, pairsPtr);
      kernels.multiplyPowerResidues(pairsPtr, count, accPtr);
      return count;
    },
    largestExponent: (count, isQuotient) => largestExponent(state, count, isQuotient),
    multiplyPlane(count, plane) {
      const wordCount = kernels.selectPlane(pairsPtr, count, plane, wordsPtr);
      return wordCount === 0 ? undefined : multiplyList(state, wordCount);
    },
  };
}

function longLists(
  state: LeafState,
  { basePrimesPtr, accPtr, scratch }: ReturnType<typeof segmentLayout>,
  range: SegmentRange,
  baseCount: number,
): PrimeLists {
  const { kernels, longs } = state.instance;
  const { pairsPtr, sievePtr, wordsPtr, leafScratchPtr } = scratch;
  const sieveBytes = largeSieveBytes(range.n, range.span);
  return {
    list(low, high, n, m) {
      const [lowLong, highLong, top, without] = [BigInt(low), BigInt(high), BigInt(n), BigInt(m)];
      const sieve = [sievePtr, sieveBytes] as const;
      const numbers = [lowLong, highLong, top, without] as const;
      const count = kernels.listLargePrimePowers(basePrimesPtr, baseCount, ...numbers, ...sieve, pairsPtr);
      kernels.multiplyLargePowerResidues(pairsPtr, count, accPtr);
      return count;
    },
    // Exponents in n! fall as primes grow, but for that of 2, which lost what 5 took; those in n! / m! do not.
    largestExponent(count, isQuotient) {
      let largest = 0;
      for (let index = 0; index < (isQuotient ? count : Math.min(count, 2)); index++) {
        largest = Math.max(largest, Number(longs[(pairsPtr >> 3) + 2 * index + 1]!));
      }
      return largest;
    },
    multiplyPlane(count, plane) {
      const longCount = kernels.selectLargePlane(pairsPtr, count, plane, wordsPtr);
      if (longCount === 0) return undefined;
      return multiplyList(state, longCount, (first, size, outPtr) =>
        kernels.multiplyLongs(wordsPtr + 8 * first, size, outPtr, leafScratchPtr),
      );
    },
  };
}
