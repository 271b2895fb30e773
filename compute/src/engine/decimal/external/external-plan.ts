import { planeCount } from '../../../factorial/exponent-planes.ts';
import { digitsPerLimb } from '../../../multiply/prime-constants.ts';
import { transformPrimes } from '../../../multiply/primes.ts';
import { productCoefficients } from '../../../multiply/product-bound.ts';
import { maxCoefficients, transformShape } from '../../../multiply/transform-shape.ts';
import { primeCount } from '../../../multiply/workspace.ts';
import { maxMemoryBytes, reservedBytes } from '../../../wasm/bridge.ts';
import type { FactorialFacts } from '../../engine.ts';
import { segmentLayout } from './alone-state.ts';
import { chooseFoldShape, estimateCost, type FoldShape, residueBytes, residueLayout } from './fold-shape.ts';
import { groupLayout } from './group-task.ts';
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
  /** Bytes read and written, all told. */
  readonly ioBytes: number;
  /** `estimateCost` of all products of the chain. */
  readonly chainCost: number;
}

/** The largest n: primes must fit one limb. */
export const largestExternalNumber = 1_000_000_006n;
const smallestSpan = 2 ** 12;
const largestSpan = 2 ** 20;
const smallestGroupLimbs = 512;
const largestGroupLimbs = 2 ** 19;
/** Regions are whole multiples of this. */
const regionStepBytes = 64 * 1024;
/** Factors of one group at most. */
export const largestGroupCount = 64;
/** Coefficients that all primes have roots for: the smallest prime less one. */
const mostCoefficients = Math.min(...transformPrimes.map(({ p }) => p)) - 1;

/** A plan within `memoryBytes` for all regions; undefined when it does not fit. */
export function planExternal(facts: FactorialFacts, memoryBytes: number, threads: number): ExternalPlan | undefined {
  if (facts.n > largestExternalNumber) return undefined;
  const n = Number(facts.n);
  const limbCount = significantLimbs(facts);
  const available = Math.floor((Math.min(memoryBytes, maxMemoryBytes) - reservedBytes) / threads);
  const regionBytes =
    regionStepBytes * Math.floor(Math.min(available, usefulRegionBytes(n, limbCount)) / regionStepBytes);
  const span = largestPower(
    largestSpan,
    smallestSpan,
    (size) => layoutBytes((take) => segmentLayout(take, n, size)) <= regionBytes,
  );
  const groupLimbs = largestPower(
    largestGroupLimbs,
    smallestGroupLimbs,
    (size) => layoutBytes((take) => groupLayout(take, size, largestGroupCount)) <= regionBytes,
  );
  if (span === undefined || groupLimbs === undefined) return undefined;
  const sourceLimbs = significantLimbs(facts.source);
  const steps = planProducts(n, limbCount - sourceLimbs, regionBytes, threads, sourceLimbs);
  if (steps === undefined) return undefined;
  const planesBytes = planeBytes(n);
  const segmentBytes = segmentBlobBytes(n, 0, span) * threads;
  const products = steps.filter((step) => 2 * step.shape.coefficients > groupLimbs);
  const peak = Math.max(0, ...products.map(productScratchBytes));
  const leaves = 3 * planesBytes + segmentBytes + 4 * sourceLimbs;
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
    scratchBytes: Math.ceil(Math.max(leaves, planesBytes + peak) + (sourceLimbs > 0 ? 4 : 1) * limbCount + slackBytes),
    ioBytes: Math.ceil(
      products.reduce((sum, step) => sum + productIoBytes(step), 8 * planesBytes + 4 * (limbCount + sourceLimbs)),
    ),
    chainCost: products.reduce((sum, step) => sum + productCost(step, threads), 1),
  };
}

// limbCount bytes: the number before a step, a quarter as long, which checkpoints keep; before the last product with a source, all of it.
/** Padding of many small numbers. */
const slackBytes = 1024 * 1024;

/** Limbs of n! / 10^z, rounded up; room for the zeros that a start from m! leaves. */
function significantLimbs(facts: Pick<FactorialFacts, 'digitCount' | 'trailingZeros' | 'source'> | undefined): number {
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
function usefulRegionBytes(n: number, limbCount: number): number {
  const whole = Math.min(productCoefficients(limbCount, 8), maxCoefficients);
  const transform = transformShape(whole);
  const parts = layoutBytes((take) => residueLayout(take, transform, false, 2 ** 16));
  const group = layoutBytes((take) => groupLayout(take, Math.min(largestGroupLimbs, 2 * limbCount), largestGroupCount));
  const segment = layoutBytes((take) => segmentLayout(take, n, Math.min(largestSpan, Math.max(smallestSpan, n))));
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

/** One product of the chain: limbs of its operands and how it is cut. */
interface PlannedProduct {
  readonly aLimbs: number;
  readonly bLimbs: number;
  readonly isSquare: boolean;
  /** Bytes of numbers that stay beside it. */
  readonly besideBytes: number;
  readonly shape: FoldShape;
}

/**
 * The chain's products of the last planes, largest first, before them that with a stored number of `sourceLimbs` limbs; undefined when one does not fit.
 * Earlier ones are a quarter as large each time.
 */
function planProducts(
  n: number,
  limbCount: number,
  regionBytes: number,
  threads: number,
  sourceLimbs: number,
): PlannedProduct[] | undefined {
  const products: PlannedProduct[] = [];
  const add = (aLimbs: number, bLimbs: number, isSquare: boolean, besideBytes: number): boolean => {
    if (productCoefficients(aLimbs, bLimbs) > mostCoefficients) return false;
    const shape = chooseFoldShape(aLimbs, bLimbs, isSquare, regionBytes, threads);
    if (shape !== undefined) products.push({ aLimbs, bLimbs, isSquare, besideBytes, shape });
    return shape !== undefined;
  };
  if (sourceLimbs > 0 && !add(sourceLimbs, limbCount, false, 0)) return undefined;
  const sourceBytes = 4 * sourceLimbs;
  for (let plane = 0; limbCount / 2 ** plane > 1024; plane += 2) {
    const whole = Math.ceil(limbCount / 2 ** plane) + 8;
    const factor = Math.min(whole, Math.ceil((2 * n) / 2 ** plane / Math.LN10 / digitsPerLimb) + 8);
    const square = Math.ceil(whole / 2) + 8;
    const rest = whole - square + 16;
    const fine =
      add(rest, square, false, sourceBytes) &&
      add(square, factor, false, sourceBytes + 4 * square) &&
      add(Math.ceil(square / 2), Math.ceil(square / 2), true, sourceBytes + 4 * factor);
    if (!fine) return undefined;
  }
  return products;
}

function operandBytes({ aLimbs, bLimbs, isSquare }: PlannedProduct): number {
  return 4 * (isSquare ? aLimbs : aLimbs + bLimbs);
}

function productCost(product: PlannedProduct, threads: number): number {
  return estimateCost(product.shape, operandBytes(product) / 4, product.isSquare, threads);
}

/** Most scratch during a product: its residues beside the operands, then beside the product. */
function productScratchBytes(product: PlannedProduct): number {
  return (
    residueBytes(product.shape) + product.besideBytes + Math.max(operandBytes(product), 8 * product.shape.coefficients)
  );
}

/** Every task reads its operands; residues are written and read once, the product written once and read once to be verified. */
function productIoBytes(product: PlannedProduct): number {
  const { shape } = product;
  return primeCount * shape.parts * operandBytes(product) + 2 * residueBytes(shape) + 16 * shape.coefficients;
}
