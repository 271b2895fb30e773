import { planeCount } from '../../../factorial/exponent-planes.ts';
import { digitsPerLimb } from '../../../multiply/prime-constants.ts';
import { productCoefficients } from '../../../multiply/product-bound.ts';
import { maxCoefficients, transformShape } from '../../../multiply/transform-shape.ts';
import { maxMemoryBytes, reservedBytes } from '../../../wasm/bridge.ts';
import type { FactorialFacts } from '../../engine.ts';
import { type PrimeLimbs, primeLimbsOf, segmentLayout } from './alone-state.ts';
import { residueLayout } from './fold-shape.ts';
import { groupLayout } from './group-task.ts';
import { fieldLimits, type ProductLimits } from './product-limits.ts';
import { type ProductPrice, type ProductPricing, priceProduct } from './product-price.ts';
import { layoutBytes } from './region.ts';
import { segmentBlobBytes } from './segment-task.ts';

/** How n! is computed out of core: a plain value, made before anything runs. */
export interface ExternalPlan {
  readonly n: number;
  /** m of the stored m! that is started from; 0 = none. */
  readonly sourceNumber: number;
  /** Limbs of m! / 10^z(m). */
  readonly sourceLimbs: number;
  readonly threads: number;
  readonly regionBytes: number;
  /** Numbers of one segment of the sieve. */
  readonly span: number;
  readonly planeCount: number;
  /** Products of up to so many limbs are made whole by one thread. */
  readonly groupLimbs: number;
  /** Bytes of all regions. */
  readonly memoryBytes: number;
  /** Most bytes of scratch at any moment. */
  readonly scratchBytes: number;
  /** Bytes read from and written to the store, all told. */
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** `estimateCost` of all products of the chain. */
  readonly chainCost: number;
  readonly primeLimbs: PrimeLimbs;
  readonly limits: ProductLimits;
  /** Segments whose products are joined before the next ones are made: bounds what there is of them at a time, as numbers and as files. */
  readonly segmentsPerBatch: number;
}

/** What a plan takes as given. Tests make it smaller, so that small n go the way of large ones. */
export interface ExternalSettings {
  /** `primeLimbsOf(n)` when absent; 2 does for any n. */
  readonly primeLimbs?: PrimeLimbs;
  readonly limits?: ProductLimits;
  readonly segmentsPerBatch?: number;
  /** The largest that a region holds when absent. */
  readonly mostGroupLimbs?: number;
}

/** The largest n: the sieve and all sizes are exact doubles. (Scratch for it would take 10^18 bytes.) */
export const largestExternalNumber = 2n ** 53n - 1n;
const defaultSegmentsPerBatch = 1024;
const smallestSpan = 2 ** 12;
const largestSpan = 2 ** 20;
const smallestGroupLimbs = 512;
const largestGroupLimbs = 2 ** 19;
/** Regions are whole multiples of this. */
const regionStepBytes = 64 * 1024;
/** Factors of one group at most. */
export const largestGroupCount = 64;

/** A plan within `memoryBytes` for all regions; undefined when it does not fit. */
export function planExternal(
  facts: FactorialFacts,
  memoryBytes: number,
  threads: number,
  settings: ExternalSettings = {},
): ExternalPlan | undefined {
  if (facts.n > largestExternalNumber) return undefined;
  const n = Number(facts.n);
  const { primeLimbs = primeLimbsOf(n), limits = fieldLimits } = settings;
  const { segmentsPerBatch = defaultSegmentsPerBatch, mostGroupLimbs = largestGroupLimbs } = settings;
  const limbCount = significantLimbs(facts);
  const available = Math.floor((Math.min(memoryBytes, maxMemoryBytes) - reservedBytes) / threads);
  const regionBytes =
    regionStepBytes * Math.floor(Math.min(available, usefulRegionBytes(n, limbCount, primeLimbs)) / regionStepBytes);
  const span = largestPower(
    largestSpan,
    smallestSpan,
    (size) => layoutBytes((take) => segmentLayout(take, n, size, primeLimbs)) <= regionBytes,
  );
  const groupLimbs = largestPower(
    mostGroupLimbs,
    smallestGroupLimbs,
    (size) => layoutBytes((take) => groupLayout(take, size, largestGroupCount)) <= regionBytes,
  );
  if (span === undefined || groupLimbs === undefined) return undefined;
  const sourceLimbs = significantLimbs(facts.source);
  const chain = priceProducts(n, limbCount - sourceLimbs, groupLimbs, { regionBytes, threads, limits }, sourceLimbs);
  if (chain === undefined) return undefined;
  const planesBytes = planeBytes(n);
  const leaves = 3 * planesBytes + segmentBlobBytes(n, 0, span) * threads + 4 * sourceLimbs;
  return {
    n,
    sourceNumber: Number(facts.source?.n ?? 0n),
    sourceLimbs,
    threads,
    regionBytes,
    span,
    planeCount: Math.max(1, planeCount(n)),
    groupLimbs,
    memoryBytes: reservedBytes + threads * regionBytes,
    scratchBytes: Math.ceil(
      Math.max(leaves, planesBytes + chain.peakBytes) + (sourceLimbs > 0 ? 4 : 1) * limbCount + slackBytes,
    ),
    readBytes: Math.ceil(chain.readBytes + 4 * planesBytes + 4 * limbCount),
    writtenBytes: Math.ceil(chain.writtenBytes + 4 * planesBytes + 4 * sourceLimbs),
    chainCost: chain.cost,
    primeLimbs,
    limits,
    segmentsPerBatch,
  };
}

// limbCount bytes: the number before a step, a quarter as long, which checkpoints keep; before the last product with a source, all of it.
/** Padding of many small numbers. */
const slackBytes = 1024 * 1024;

/** Limbs of n! / 10^z, rounded up; room for the zeros that a start from m! leaves. */
export function significantLimbs(
  facts: Pick<FactorialFacts, 'digitCount' | 'trailingZeros' | 'source'> | undefined,
): number {
  if (facts === undefined) return 0;
  const surplusLimbs = facts.source === undefined ? 0 : 4;
  return Math.ceil(Number(facts.digitCount - facts.trailingZeros) / digitsPerLimb) + surplusLimbs;
}

/** Least bytes of regions with which n! can be computed at all on one thread; undefined when no memory suffices. */
export function leastExternalBytes(facts: FactorialFacts): number | undefined {
  if (planExternal(facts, maxMemoryBytes, 1) === undefined) return undefined;
  let [low, high] = [0, Math.ceil(maxMemoryBytes / regionStepBytes)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (planExternal(facts, middle * regionStepBytes, 1) === undefined) low = middle;
    else high = middle;
  }
  return high * regionStepBytes;
}

/** More than this brings nothing: the largest product of one part, or the largest leaves. */
function usefulRegionBytes(n: number, limbCount: number, primeLimbs: PrimeLimbs): number {
  const whole = Math.min(productCoefficients(limbCount, 8), maxCoefficients);
  const transform = transformShape(whole);
  const parts = layoutBytes((take) => residueLayout(take, transform, false, 2 ** 16));
  const group = layoutBytes((take) => groupLayout(take, Math.min(largestGroupLimbs, 2 * limbCount), largestGroupCount));
  const segment = layoutBytes((take) =>
    segmentLayout(take, n, Math.min(largestSpan, Math.max(smallestSpan, n)), primeLimbs),
  );
  return Math.max(parts, group, segment) + regionStepBytes;
}

function largestPower(from: number, to: number, fits: (size: number) => boolean): number | undefined {
  for (let size = from; size >= to; size /= 2) if (fits(size)) return size;
  return undefined;
}

/** Bytes of all planes together. Bound: θ(x) < 1.01624·x (Rosser and Schoenfeld 1962), and plane i has primes up to n/2^i + 1 only. */
function planeBytes(n: number): number {
  return Math.ceil((4 * 1.01624 * (2 * n + 64)) / Math.LN10 / digitsPerLimb) + 4096;
}

/**
 * The prices of the chain's products of the last planes, largest first, before them that with a stored number of `sourceLimbs` limbs; undefined when one
 * does not fit. Earlier ones are a quarter as large each time. `besideBytes`: numbers that stay beside a product.
 */
function priceProducts(
  n: number,
  limbCount: number,
  groupLimbs: number,
  pricing: ProductPricing,
  sourceLimbs: number,
): ChainPrice | undefined {
  let chain: ChainPrice = { cost: 1, peakBytes: 0, readBytes: 0, writtenBytes: 0 };
  const add = (aLimbs: number, bLimbs: number, isSquare: boolean, besideBytes: number): boolean => {
    if (aLimbs + bLimbs <= groupLimbs) return true;
    const price = priceProduct(aLimbs, bLimbs, isSquare, pricing);
    if (price !== undefined) chain = addPrice(chain, price, besideBytes);
    return price !== undefined;
  };
  if (sourceLimbs > 0 && !add(sourceLimbs, limbCount, false, 0)) return undefined;
  const sourceBytes = 4 * sourceLimbs;
  for (let plane = 0; limbCount / 2 ** plane > 1024; plane += 2) {
    const whole = Math.ceil(limbCount / 2 ** plane) + 8;
    const factor = Math.min(whole, Math.ceil((2 * n) / 2 ** plane / Math.LN10 / digitsPerLimb) + 8);
    const square = Math.ceil(whole / 2) + 8;
    const rest = whole - square + 16;
    const half = Math.ceil(square / 2);
    const fine =
      add(rest, square, false, sourceBytes) &&
      add(square, factor, false, sourceBytes + 4 * square) &&
      add(half, half, true, sourceBytes + 4 * factor);
    if (!fine) return undefined;
  }
  return chain;
}

interface ChainPrice {
  readonly cost: number;
  readonly peakBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

function addPrice(chain: ChainPrice, price: ProductPrice, besideBytes: number): ChainPrice {
  return {
    cost: chain.cost + price.cost,
    peakBytes: Math.max(chain.peakBytes, price.peakBytes + besideBytes),
    readBytes: chain.readBytes + price.readBytes,
    writtenBytes: chain.writtenBytes + price.writtenBytes,
  };
}
