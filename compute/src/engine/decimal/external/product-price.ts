import { primeCount } from '../../../multiply/workspace.ts';
import { chooseFoldShape, estimateCost, type FoldShape, residueBytes } from './fold-shape.ts';
import { type ProductLimits, splitLimbs } from './product-limits.ts';

/** What one product out of core takes. */
export interface ProductPrice {
  /** `estimateCost`, in about nanoseconds. */
  readonly cost: number;
  /** Scratch bytes at the worst moment beside the operands, the product among them. */
  readonly workingBytes: number;
  /** Scratch bytes at the worst moment, operands (which go as soon as they may) and product among them. */
  readonly peakBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Nanoseconds per limb and term of putting a product together from those of its parts. */
const joinCostPerLimb = 2;

/** `estimateCost` of putting a product of so many limbs together from `terms` terms. */
export function joinCost(terms: number, limbs: number): number {
  return joinCostPerLimb * terms * limbs;
}

export interface ProductPricing {
  readonly regionBytes: number;
  readonly threads: number;
  readonly limits: ProductLimits;
}

/** The price of a product of so many limbs, cut into parts as often as the limits want it; undefined when it does not fit a region. */
export function priceProduct(
  aLimbs: number,
  bLimbs: number,
  isSquare: boolean,
  pricing: ProductPricing,
): ProductPrice | undefined {
  const half = splitLimbs(aLimbs, bLimbs, pricing.limits);
  const operandBytes = 4 * (isSquare ? aLimbs : aLimbs + bLimbs);
  if (half === undefined) {
    const shape = chooseFoldShape(aLimbs, bLimbs, isSquare, pricing.regionBytes, pricing.threads);
    return shape === undefined ? undefined : priceWhole(shape, operandBytes, isSquare, pricing.threads);
  }
  const shorter = Math.min(aLimbs, bLimbs);
  const isShortWhole = shorter <= half;
  const part = half + 1;
  const products = isShortWhole ? 2 : 3;
  const one = isShortWhole ? priceProduct(half, shorter, false, pricing) : priceProduct(part, part, isSquare, pricing);
  if (one === undefined) return undefined;
  const [limbs, sumBytes] = [aLimbs + bLimbs, isShortWhole ? 0 : 2 * operandBytes];
  const partProductBytes = 4 * (isShortWhole ? half + shorter : 2 * part) + 64;
  const workingBytes = one.workingBytes + (products - 1) * partProductBytes + sumBytes / 2 + 4 * limbs + 64;
  const terms = isShortWhole ? 2 : 5;
  return {
    cost: products * one.cost + joinCost(terms, limbs),
    workingBytes,
    peakBytes: operandBytes + workingBytes,
    // Parts are read for their residues and their sum, the parts' products put together, the product verified.
    readBytes: products * one.readBytes + operandBytes + sumBytes + terms * partProductBytes + 4 * limbs,
    writtenBytes: products * one.writtenBytes + sumBytes / 2 + 4 * limbs,
  };
}

/** Every task reads its operands; residues are written and read once, the product written once and read once to be verified. */
function priceWhole(shape: FoldShape, operandBytes: number, isSquare: boolean, threads: number): ProductPrice {
  const residues = residueBytes(shape);
  const productBytes = 8 * shape.coefficients;
  return {
    cost: estimateCost(shape, operandBytes / 4, isSquare, threads),
    workingBytes: residues + productBytes,
    peakBytes: residues + Math.max(operandBytes, productBytes),
    readBytes: primeCount * shape.parts * operandBytes + residues + productBytes,
    writtenBytes: residues + productBytes,
  };
}
