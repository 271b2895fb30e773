import type { ExternalPlan } from './external-plan.ts';
import { priceProduct } from './product-price.ts';

/** Limbs of the numbers that a chain is made of. */
export interface ChainSizes {
  /** Of every plane; undefined = the number 1. */
  readonly planes: readonly (number | undefined)[];
  /** Of the product of all planes to their powers. */
  readonly resultLimbs: number;
  /** Of the stored m! that is multiplied in last; 0 = none. */
  readonly sourceLimbs: number;
}

/**
 * `estimateCost` of the products that `multiplyChainStored` reports while it takes in the lowest `planesLeft` planes, by their lengths. These follow from the
 * last product down: upwards, each would be rounded up to a limb, and the chain doubles that with every plane.
 */
export function chainCost(
  { planes, resultLimbs, sourceLimbs }: ChainSizes,
  planesLeft: number,
  plan: Pick<ExternalPlan, 'regionBytes' | 'threads' | 'limits' | 'groupLimbs'>,
): number {
  const priced = (a: number, b: number, isSquare = false): number => {
    if (a < 1 || b < 1 || a + b <= plan.groupLimbs) return 0;
    return priceProduct(Math.ceil(a), Math.ceil(b), isSquare, plan)?.cost ?? 0;
  };
  let cost = sourceLimbs === 0 ? 0 : priced(sourceLimbs, resultLimbs);
  let result = resultLimbs;
  for (let plane = 0; plane < planesLeft; plane += 2) {
    const [lower = 0, upper] = [planes[plane], planes[plane + 1]];
    const isPair = plane + 1 < planes.length;
    const factor = isPair ? 2 * (upper ?? 0) + lower : lower;
    const square = Math.max(0, (result - factor) / (isPair ? 2 : 1));
    cost += priced(square, factor) + priced(square / 2, square / 2, true);
    if (isPair) {
      cost += priced(square + factor, square) + priced(upper ?? 0, upper ?? 0, true) + priced(2 * (upper ?? 0), lower);
    }
    result = square / 2;
  }
  return cost;
}
