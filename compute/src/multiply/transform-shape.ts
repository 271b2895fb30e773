import { KernelError } from '../errors.ts';
import { maxLevels } from './prime-constants.ts';

/** Geometry of one transform: x^(4·columns) + 1 as four lanes, each with `levels` levels down to leaves modulo x^leafLength − c. */
export interface TransformShape {
  /** Coefficients of a leaf, 4…14. */
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

/**
 * The shortest transform that holds `coefficients` coefficients. Lengths are 4·{4, 5, 6, 7}·2^k: never 25 % too long, and no jump at powers of two.
 * Restrictions: 1 ≤ coefficients ≤ maxCoefficients; `KernelError` otherwise.
 */
export function transformShape(coefficients: number): TransformShape {
  if (!(coefficients <= maxCoefficients)) {
    throw new KernelError(`expected at most ${maxCoefficients} coefficients, got ${coefficients}`);
  }
  const perLane = Math.max(4, Math.ceil(coefficients / 4));
  const levels = Math.min(maxLevels, Math.floor(Math.log2(perLane / 4)));
  let leafLength = Math.ceil(perLane / 2 ** levels);
  let height = levels;
  if (leafLength === 8 && height < maxLevels) {
    leafLength = 4;
    height++;
  }
  while ((leafLength * 2 ** height) % 4 !== 0) leafLength++;
  if (leafLength === 8 && height < maxLevels) {
    leafLength = 4;
    height++;
  }
  const columns = leafLength * 2 ** height;
  return { leafLength, levels: height, columns, coefficients: 4 * columns };
}
