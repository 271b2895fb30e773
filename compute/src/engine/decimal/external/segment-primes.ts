import { primesUpTo } from '../../../factorial/prime-sieve.ts';
import type { DecimalNumber } from '../../../limbs/decimal-number.ts';
import type { KernelInstance } from '../../../wasm/bridge.ts';
import { type LeafState, largestExponent, multiplyList } from '../segment-products.ts';
import { largeSieveBytes, makeLeafState, type PrimeLimbs, type segmentLayout } from './alone-state.ts';
import type { ResiduePair } from './stored-number.ts';

/** The numbers that a segment of the sieve stands for: those of [low, low + span) up to n, exact doubles below 2^53. */
export interface SegmentRange {
  readonly n: number;
  readonly low: number;
  readonly span: number;
  /** 2 where primes may exceed one limb; any n may be taken that way. */
  readonly primeLimbs: PrimeLimbs;
}

/** The primes of a segment with their exponents in n! / 10^z, in a thread's memory. */
export interface SegmentPrimes {
  /** The largest exponent: no plane beyond its bits has a prime. */
  readonly largestExponent: number;
  /** ∏ p^e modulo the verification moduli. */
  readonly powerResidues: ResiduePair;
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
  const base = basePrimes(range.n);
  instance.words.set(base, layout.basePrimesPtr >> 2);
  instance.longs.fill(1n, layout.accPtr >> 3, (layout.accPtr >> 3) + 2);
  const state = makeLeafState(instance, layout);
  return range.primeLimbs === 1
    ? listWords(state, layout, range, base.length)
    : listLongs(state, layout, range, base.length);
}

function listWords(
  state: LeafState,
  { basePrimesPtr, accPtr, scratch }: ReturnType<typeof segmentLayout>,
  { n, low, span }: SegmentRange,
  baseCount: number,
): SegmentPrimes {
  const { kernels, longs } = state.instance;
  const { pairsPtr, sievePtr, wordsPtr } = scratch;
  const high = Math.min(n, low + span - 1);
  const count = kernels.listPrimePowers(basePrimesPtr, baseCount, low, high, n, 0, sievePtr, pairsPtr);
  kernels.multiplyPowerResidues(pairsPtr, count, accPtr);
  return {
    largestExponent: largestExponent(state, count, false),
    powerResidues: [longs[accPtr >> 3]!, longs[(accPtr >> 3) + 1]!],
    multiplyPlane(plane) {
      const wordCount = kernels.selectPlane(pairsPtr, count, plane, wordsPtr);
      return wordCount === 0 ? undefined : multiplyList(state, wordCount);
    },
  };
}

function listLongs(
  state: LeafState,
  { basePrimesPtr, accPtr, scratch }: ReturnType<typeof segmentLayout>,
  { n, low, span }: SegmentRange,
  baseCount: number,
): SegmentPrimes {
  const { kernels, longs } = state.instance;
  const { pairsPtr, sievePtr, wordsPtr, leafScratchPtr } = scratch;
  const high = Math.min(n, low + span - 1);
  const sieveBytes = largeSieveBytes(n, span);
  const [lowLong, highLong, nLong] = [BigInt(low), BigInt(high), BigInt(n)];
  const count = kernels.listLargePrimePowers(
    basePrimesPtr,
    baseCount,
    lowLong,
    highLong,
    nLong,
    sievePtr,
    sieveBytes,
    pairsPtr,
  );
  kernels.multiplyLargePowerResidues(pairsPtr, count, accPtr);
  // Exponents fall as primes grow, but for that of 2, which lost what 5 took.
  const exponents = Array.from(longs.subarray(pairsPtr >> 3, (pairsPtr >> 3) + 2 * Math.min(count, 2)), Number);
  return {
    largestExponent: Math.max(0, ...exponents.filter((_, index) => index % 2 === 1)),
    powerResidues: [longs[accPtr >> 3]!, longs[(accPtr >> 3) + 1]!],
    multiplyPlane(plane) {
      const longCount = kernels.selectLargePlane(pairsPtr, count, plane, wordsPtr);
      if (longCount === 0) return undefined;
      return multiplyList(state, longCount, (first, size, outPtr) =>
        kernels.multiplyLongs(wordsPtr + 8 * first, size, outPtr, leafScratchPtr),
      );
    },
  };
}
