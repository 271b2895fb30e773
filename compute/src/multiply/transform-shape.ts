import { KernelError } from '../errors.ts';
import { maxLevels } from './prime-constants.ts';

/** Geometry of one transform: x^(4·columns) + 1 as four lanes, each with `levels` levels down to leaves modulo x^leafLength − c. */
export interface TransformShape {
  /** Coefficients of a leaf: 4…7, 9, 11 or 13, and any up to 14 at the most levels. */
  readonly leafLength: number;
  readonly levels: number;
  /** leafLength · 2^levels, a multiple of 4. */
  readonly columns: number;
  /** 4 · columns: the products that fit have at most as many coefficients. */
  readonly coefficients: number;
}

/** Longest leaf: what the accumulators of the pointwise product hold (assembly/pointwise.ts). */
export const maxLeafLength = 14;
/** Most coefficients of a product by one transform. */
export const maxCoefficients = 4 * maxLeafLength * 2 ** maxLevels;

/** Shortest leaf. */
const minLeafLength = 4;

/**
 * The shortest transform that holds `coefficients` coefficients: lengths are 4·{7, 8, 9, 10, 11, 12, 13}·2^k, so that none is a seventh longer than the one
 * before it, at powers of two or elsewhere. Long leaves cost little: 9 (11, 13) coefficients instead of two leaves of 5 (6, 7) take 1 % (2.5, 4 %) longer
 * per point and are 10 % (8, 7 %) shorter; from 15 on nothing is won (tuners/kernels.ts).
 * Restrictions: 1 ≤ coefficients ≤ maxCoefficients; `KernelError` otherwise.
 */
export function transformShape(coefficients: number): TransformShape {
  if (!(coefficients <= maxCoefficients)) {
    throw new KernelError(`expected at most ${maxCoefficients} coefficients, got ${coefficients}`);
  }
  const perLane = Math.max(minLeafLength, Math.ceil(coefficients / 4));
  let levels = Math.max(0, Math.min(maxLevels, Math.ceil(Math.log2(perLane / maxLeafLength))));
  let leafLength = Math.ceil(perLane / 2 ** levels);
  while ((leafLength * 2 ** levels) % 4 !== 0) leafLength++;
  // Even leaves are halved: another level costs less.
  for (; leafLength % 2 === 0 && leafLength >= 2 * minLeafLength && levels < maxLevels; levels++) leafLength /= 2;
  const columns = leafLength * 2 ** levels;
  return { leafLength, levels, columns, coefficients: 4 * columns };
}

/** Most levels of any transform for up to `coefficients` coefficients: shorter ones may have more than the longest. */
export function mostLevels(coefficients: number): number {
  const { columns } = transformShape(Math.min(coefficients, maxCoefficients));
  return Math.min(maxLevels, Math.floor(Math.log2(columns / minLeafLength)));
}
