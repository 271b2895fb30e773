import { KernelError } from '../../../errors.ts';
import { crtBytes, primeContextBytes, tableBytes, twiddleScratchBytes } from '../../../multiply/prime-constants.ts';
import { productCoefficients } from '../../../multiply/product-bound.ts';
import {
  maxCoefficients,
  maxLeafLength,
  type TransformShape,
  transformShape,
} from '../../../multiply/transform-shape.ts';
import { primeCount } from '../../../multiply/workspace.ts';
import { residueTableBytes } from '../arena.ts';
import { maxParts } from './fold-field.ts';
import { layoutBytes, type Take } from './region.ts';

/** How a product is cut into residues modulo x^points − z_j, j < parts, for each prime. */
export interface FoldShape {
  readonly parts: number;
  readonly transform: TransformShape;
  /** Coefficients of one part: transform.coefficients. */
  readonly points: number;
  /** Coefficients of the product, a multiple of 4, at most parts · points. */
  readonly coefficients: number;
  /** Columns per block of input and output of a residue task; of the combination. Multiples of 4. */
  readonly residueColumns: number;
  readonly combineColumns: number;
}

/** Largest block of one stream, in columns: half a mebibyte of limbs. */
const largestBlockColumns = 65_536;
/** Columns that the combination computes at a time: their residues stay in the second-level cache. */
export const combineChunkColumns = 1024;
/** More parts than this cost more in folding than any transform. */
const mostParts = 256;

/** Addresses of a residue task. */
export function residueLayout(take: Take, transform: TransformShape, isSquare: boolean, blockColumns: number) {
  const tables = tableBytes(transform.levels);
  return {
    contextPtr: take(primeContextBytes),
    rTablePtr: take(tables.r),
    sTablePtr: take(tables.s),
    twiddlePtr: take(twiddleScratchBytes),
    leafPtr: take(48 * maxLeafLength),
    constantPtr: take(8),
    digestTablePtr: take(residueTableBytes),
    accPtr: take(16),
    weightPtrs: [take(32), take(32), take(32), take(32)] as const,
    firstPtr: take(16 * transform.columns),
    secondPtr: isSquare ? undefined : take(16 * transform.columns),
    // Two blocks of limbs and the four folded pieces; afterwards two blocks of four pieces to be written.
    slotPtrs: [take(8 * blockColumns), take(8 * blockColumns)] as const,
    piecesPtr: take(16 * blockColumns),
  };
}

/** Addresses of a combination task. */
export function combineLayout(take: Take, parts: number, blockColumns: number) {
  return {
    contextPtrs: Array.from({ length: primeCount }, () => take(primeContextBytes)),
    crtPtr: take(crtBytes),
    rowsPtr: take(4 * primeCount * parts * parts),
    statesPtr: take(64 * parts),
    carryPtr: take(16),
    chunkPtr: take(4 * primeCount * combineChunkColumns),
    inPtrs: [take(4 * primeCount * parts * blockColumns), take(4 * primeCount * parts * blockColumns)] as const,
    outPtrs: [take(8 * parts * blockColumns), take(8 * parts * blockColumns)] as const,
  };
}

/** The quickest cut that fits a region, by estimate; undefined when none does. `isSquare`: one operand needs one array only. */
export function chooseFoldShape(
  aLimbs: number,
  bLimbs: number,
  isSquare: boolean,
  regionBytes: number,
  threads: number,
): FoldShape | undefined {
  const coefficients = productCoefficients(aLimbs, bLimbs);
  const operandLimbs = isSquare ? aLimbs : aLimbs + bLimbs;
  let best: { readonly shape: FoldShape; readonly cost: number } | undefined;
  for (let parts = 1; parts <= mostParts; parts++) {
    const shape = foldShapeWithParts(coefficients, parts, isSquare, regionBytes);
    if (shape === undefined) continue;
    const cost = estimateCost(shape, operandLimbs, isSquare, threads);
    if (best === undefined || cost < best.cost) best = { shape, cost };
    // Far beyond the best, more parts only fold more.
    else if (cost > 3 * best.cost) break;
  }
  return best?.shape;
}

/** `chooseFoldShape`, or `KernelError`: for runs whose plan has made sure. */
export function requireFoldShape(...args: Parameters<typeof chooseFoldShape>): FoldShape {
  const shape = chooseFoldShape(...args);
  if (shape !== undefined) return shape;
  throw new KernelError(`expected a product that fits regions of ${args[3]} bytes, got ${args[0]} by ${args[1]} limbs`);
}

/** The cut into so many parts; undefined when it does not fit a region or the primes have no so many. */
export function foldShapeWithParts(
  coefficients: number,
  parts: number,
  isSquare: boolean,
  regionBytes: number,
): FoldShape | undefined {
  const wanted = Math.ceil(coefficients / parts);
  if (wanted > maxCoefficients) return undefined;
  const transform = transformShape(wanted);
  if (parts > 1 && parts > maxParts(transform.coefficients)) return undefined;
  const fixed = layoutBytes((take) => residueLayout(take, transform, isSquare, 0));
  const residueColumns = blockColumnsWithin(regionBytes - fixed - 256, 32, transform.columns);
  const combineFixed = layoutBytes((take) => combineLayout(take, parts, 0));
  const combineColumns = blockColumnsWithin(
    regionBytes - combineFixed - 512,
    2 * parts * (4 * primeCount + 8),
    transform.coefficients,
  );
  if (residueColumns === 0 || combineColumns === 0) return undefined;
  return { parts, transform, points: transform.coefficients, coefficients, residueColumns, combineColumns };
}

/** Columns of a block, a multiple of 16; 0 when not even the smallest useful block fits. */
function blockColumnsWithin(bytes: number, bytesPerColumn: number, columns: number): number {
  const most = Math.min(largestBlockColumns, 16 * Math.ceil(columns / 16));
  const fitting = Math.min(most, 16 * Math.floor(bytes / bytesPerColumn / 16));
  return fitting < Math.min(most, 256) ? 0 : fitting;
}

/** About the nanoseconds that a product takes on so many threads; what counts are the ratios. */
export function estimateCost(shape: FoldShape, operandLimbs: number, isSquare: boolean, threads: number): number {
  const { transform, parts, points } = shape;
  const transforms = isSquare ? 2 : 3;
  const task = points * (transforms * (0.25 * transform.levels + 1) + 0.25 * transform.leafLength) + operandLimbs * 1.5;
  const rounds = Math.ceil((primeCount * parts) / threads);
  return rounds * task + (primeCount * parts * points * (2 + 0.3 * parts)) / threads;
}

/** Bytes of all residues of a product. */
export function residueBytes(shape: FoldShape): number {
  return primeCount * shape.parts * 4 * shape.points;
}
