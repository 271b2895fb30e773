import { paddedLimbs } from '../../limbs/decimal-number.ts';
import { digitsPerLimb } from '../../multiply/prime-constants.ts';
import { productCoefficients } from '../../multiply/product-bound.ts';
import { mostLevels } from '../../multiply/transform-shape.ts';
import { aligned, residueAreaBytes, residueArrayBytes, scratchBytes, tablesBytes } from '../../multiply/workspace.ts';
import { type Ptr, reservedBytes } from '../../wasm/bridge.ts';
import { defaultTuning, type Tuning } from './tuning.ts';

/** Limbs of one chunk of text, a million digits: handing one over to a thread and back costs 0.1 ms, turning it into text 0.5 ms. */
export const textChunkLimbs = 114_688;
/** Chunks of text per thread that may wait to be taken or to be read again; two more are in the consumer's hands. */
const textsPerThread = 2;
/** Words that a thread multiplies the long way before it builds a tree of the results. Set by tuners/segments.ts. */
export const leafWords = 128;

const minSpan = 2 ** 12;
const maxSpan = 2 ** 20;
/** Segments into which the primes are cut, when they are neither too short nor too long. Set by tuners/segments.ts: any from 20 to 1,200 cost the same. */
const wantedSegments = 32;
/** Words of the control block: a few counters, and one per thread that joined. */
export const controlWords = 512;
/** Words of the ring of text besides one per slot and one per thread. */
export const textRingCounters = 5;
/** Odd numbers that the sieve kernel crosses out at a time, a byte each. */
const sieveBytes = 2 ** 15;
/** Bytes of the powers by which residues of limbs or text are found (assembly/residues.ts). */
export const residueTableBytes = 6 * 1024 + 64;

/** Where everything of one run lies in its memory: a plain value, the same on every thread, made before anything runs. */
export interface DecimalArena {
  readonly n: number;
  /** m of the stored m! that the product starts from; 0 = none. */
  readonly sourceNumber: number;
  /** Limbs of m! / 10^z(m). */
  readonly sourceLimbs: number;
  readonly threads: number;
  readonly tuning: Tuning;
  /** Limbs of the result at most: n! / 10^z, or a few zeros more when it starts from m!. */
  readonly limbCount: number;
  /** Numbers of one segment of the sieve, and how many segments cover 1…n. */
  readonly span: number;
  readonly segmentCount: number;
  readonly planeCount: number;
  readonly levels: number;
  readonly controlPtr: Ptr;
  /** Two words, address and limbs, per segment and plane; 0 limbs = no prime. */
  readonly nodesPtr: Ptr;
  /** Residues of ∏ p^e modulo both moduli, 16 bytes per segment; then those of the result, expected and found per block. */
  readonly residuesPtr: Ptr;
  /** The same of m!, 16 bytes per segment; then the residues that its digits have. */
  readonly sourceResiduesPtr: Ptr;
  readonly residueTablePtr: Ptr;
  /** Powers of 10^8, by which residues of text are found. */
  readonly textResidueTablePtr: Ptr;
  /** Words by which text passes from thread to thread (text-ring.ts), and the residues of each chunk of it, 16 bytes. */
  readonly textRingPtr: Ptr;
  readonly textResiduesPtr: Ptr;
  /** The odd primes up to √n, as words. */
  readonly basePrimesPtr: Ptr;
  readonly tablesPtr: Ptr;
  readonly scratchPtrs: readonly ThreadScratch[];
  readonly heapPtrs: readonly [Ptr, Ptr];
  readonly heapBytes: number;
  readonly resultPtr: Ptr;
  readonly resultBytes: number;
  /** m! / 10^z(m), then what it is multiplied by, then what the pieces of the product set aside. */
  readonly sourcePtr: Ptr;
  readonly areaPtr: Ptr;
  readonly areaBytes: number;
  readonly totalBytes: number;
}

/** One thread's own memory. */
export interface ThreadScratch {
  readonly kernelPtr: Ptr;
  readonly areaPtr: Ptr;
  readonly areaBytes: number;
  /** Primes of a segment with their exponents; odd numbers being crossed out; the words of one plane. */
  readonly pairsPtr: Ptr;
  readonly sievePtr: Ptr;
  readonly wordsPtr: Ptr;
  readonly leafPtrs: readonly [Ptr, Ptr];
  readonly leafScratchPtr: Ptr;
}

/** Numbers of one segment: a power of two, so that small n has few segments and large n short ones. */
export function segmentSpan(n: number): number {
  return Math.min(maxSpan, Math.max(minSpan, 2 ** Math.ceil(Math.log2(Math.max(1, n / wantedSegments)))));
}

/**
 * Bytes of a heap: the products of all planes, each padded, or the joined product of three planes (power-chain.ts).
 * Bound: θ(x) < 1.01624·x (Rosser and Schoenfeld 1962, theorem 9). Plane i has primes up to n/2^i + 1 only, so that ∑ ln P_i < 2.04·n; in
 * P_{i+2}⁴·P_{i+1}²·P_i a prime stands at most min(e_p, 7) times, so that its logarithm is at most ∑_{j ≤ 7} θ(n/j + 1) < 2.64·n.
 */
function heapBytesOf(n: number, segmentCount: number, planeCount: number): number {
  const digits = (1.01624 * (2.6 * n + planeCount + 7)) / Math.LN10;
  // A number is padded by less than 8 limbs, its limbs are bounded by one more than its digits need, and products of two round up once more.
  return aligned(4 * (Math.ceil(digits / digitsPerLimb) + 24 * (segmentCount + 1) * (planeCount + 1)));
}

/** Slots of the ring through which text passes. */
export function textSlotCount(threads: number): number {
  return textsPerThread * threads + 2;
}

/** Bytes of the chunks of text that may exist at a time: whole ones, unless there is only one. */
function textBytes(limbCount: number, threads: number): number {
  const chunks = Math.min(Math.ceil(limbCount / textChunkLimbs), textSlotCount(threads));
  return digitsPerLimb * (chunks === 1 ? limbCount : chunks * textChunkLimbs);
}

/** The stored m! that a run starts from: m, and the significant digits of m!. */
export interface ArenaSource {
  readonly n: number;
  readonly significantDigits: number;
}

const noSource: ArenaSource = { n: 0, significantDigits: 0 };

/** Lays out the memory of a run. Restrictions: 0 ≤ n < 10^9; planeCount ≥ 1; source.n ≤ n. */
export function decimalArena(
  n: number,
  significantDigits: number,
  planeCount: number,
  threads: number,
  source = noSource,
  tuning = defaultTuning,
): DecimalArena {
  let next = reservedBytes;
  const take = (bytes: number): Ptr => {
    const ptr = next;
    next += aligned(bytes);
    return ptr;
  };
  const limbCount = Math.ceil(significantDigits / digitsPerLimb);
  const span = segmentSpan(n);
  const segmentCount = Math.ceil((n + 1) / span);
  const coefficients = productCoefficients(limbCount + 1, 0);
  const levels = mostLevels(coefficients);
  const controlPtr = take(4 * controlWords);
  const nodesPtr = take(8 * segmentCount * planeCount);
  const residuesPtr = take(16 * (segmentCount + 2 + residueBlockCount(limbCount)));
  const sourceResiduesPtr = take(source.n === 0 ? 0 : 16 * (segmentCount + 1));
  const residueTablePtr = take(residueTableBytes);
  const textResidueTablePtr = take(residueTableBytes);
  const textRingPtr = take(4 * (textRingCounters + textSlotCount(threads) + threads));
  const textResiduesPtr = take(16 * Math.ceil(limbCount / textChunkLimbs));
  // Every other number up to √n at most.
  const basePrimesPtr = take(2 * Math.sqrt(n) + 64);
  const tablesPtr = take(tablesBytes(levels));
  const scratchPtrs = Array.from({ length: threads }, () => takeScratch(take, span, coefficients, tuning));
  const heapBytes = heapBytesOf(n, segmentCount, planeCount);
  const heapPtrs = [take(heapBytes), take(heapBytes)] as const;
  const resultBytes = 4 * (paddedLimbs(limbCount + 1) + 64) + heapBytes;
  const resultPtr = take(resultBytes);
  const sourceLimbs = Math.ceil(source.significantDigits / digitsPerLimb);
  const quotientLimbs = limbCount - sourceLimbs + 2;
  const sourcePtr = take(source.n === 0 ? 0 : 4 * (paddedLimbs(sourceLimbs) + 2 * paddedLimbs(quotientLimbs)));
  // Text chunks take the area's place when the products are done.
  const areaBytes = Math.max(residueAreaBytes(coefficients), textBytes(limbCount, threads));
  const areaPtr = take(areaBytes);
  return {
    n,
    sourceNumber: source.n,
    sourceLimbs,
    threads,
    tuning,
    limbCount,
    span,
    segmentCount,
    planeCount,
    levels,
    controlPtr,
    nodesPtr,
    residuesPtr,
    sourceResiduesPtr,
    residueTablePtr,
    textResidueTablePtr,
    textRingPtr,
    textResiduesPtr,
    basePrimesPtr,
    tablesPtr,
    scratchPtrs,
    heapPtrs,
    heapBytes,
    resultPtr,
    resultBytes,
    sourcePtr,
    areaPtr,
    areaBytes,
    totalBytes: next,
  };
}

/** Limbs of one block whose residues one task finds. */
export const residueBlockLimbs = 1 << 18;

export function residueBlockCount(limbCount: number): number {
  return Math.ceil(limbCount / residueBlockLimbs);
}

export function takeScratch(
  take: (bytes: number) => Ptr,
  span: number,
  coefficients: number,
  { aloneCoefficients }: Tuning,
): ThreadScratch {
  // Words of a plane in a segment: the odd numbers of the span at most, and a 2.
  const words = span / 2 + 64;
  const leafBytes = 4 * Math.ceil(words * (1 + 24 / leafWords) + 64);
  const alone = Math.min(coefficients, aloneCoefficients);
  const areaBytes = residueAreaBytes(alone) + 4 * residueArrayBytes(alone);
  return {
    kernelPtr: take(scratchBytes),
    areaPtr: take(areaBytes),
    areaBytes,
    pairsPtr: take(8 * words),
    sievePtr: take(sieveBytes),
    wordsPtr: take(4 * words),
    leafPtrs: [take(leafBytes), take(leafBytes)],
    leafScratchPtr: take(4 * (2 * leafWords + 16 * 32)),
  };
}
