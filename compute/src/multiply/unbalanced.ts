import { type DecimalNumber, paddedLimbs } from '../limbs/decimal-number.ts';
import type { Ptr } from '../wasm/bridge.ts';
import { productCoefficients } from './product-bound.ts';
import {
  combineShare,
  multiplyResidue,
  normalised,
  ResidueProduct,
  type ResidueWorker,
  transformShare,
} from './residue.ts';
import type { Team } from './team.ts';
import { transformShape } from './transform-shape.ts';
import { carryBytes, primeCount, type ResidueArea, residueArrayBytes } from './workspace.ts';

/** Most pieces that the longer operand is cut into. */
const maxPieces = 64;
/** Nanoseconds per coefficient: of a level of one transform over all primes, of what every product has besides. Set by tuners/kernels.ts. */
const levelCost = 0.85;
const fixedCost = 26;

/** Estimated cost of a product of so many coefficients that takes `transforms` transforms, forward and inverse together. */
function productCost(coefficients: number, transforms: number): number {
  const shape = transformShape(coefficients);
  return shape.coefficients * (fixedCost + transforms * levelCost * (shape.levels + 3));
}

/** Into how many pieces a is cut, so that the shorter b is transformed once, at the length of one piece and b; 1 = not at all. */
export function choosePieces(aLimbs: number, bLimbs: number, areaBytes: number): number {
  let best = 1;
  let bestCost = productCost(productCoefficients(aLimbs, bLimbs), 3);
  for (let pieces = 2; pieces <= maxPieces; pieces++) {
    const coefficients = productCoefficients(pieceLimbs(aLimbs, pieces), bLimbs);
    if (carryBytes + 2 * primeCount * residueArrayBytes(coefficients) > areaBytes) continue;
    const cost = pieces * productCost(coefficients, 2) + transformShape(coefficients).levels * levelCost * coefficients;
    if (cost < bestCost) {
      best = pieces;
      bestCost = cost;
    }
  }
  return best;
}

/** Whole groups of 8 limbs, so that every piece but the last has its padding inside the number. */
function pieceLimbs(aLimbs: number, pieces: number): number {
  return 8 * Math.ceil(aLimbs / (8 * pieces));
}

/**
 * a·b at outPtr for a much longer than b: a in pieces, each times the one transform of b, added where they overlap. Without it b would be padded to the
 * length of a. Called by every thread of the team with the same arguments.
 *
 * Restrictions: as `multiplyResidue`, but out overlaps neither operand; sidePtr has room for b's limbs, padded.
 */
export function multiplyUnbalanced(
  team: Team,
  worker: ResidueWorker,
  area: ResidueArea,
  a: DecimalNumber,
  b: DecimalNumber,
  outPtr: Ptr,
  sidePtr: Ptr,
): DecimalNumber {
  const pieces = choosePieces(a.limbCount, b.limbCount, area.bytes);
  if (pieces === 1) return multiplyResidue(team, worker, area, a, b, outPtr);
  const length = pieceLimbs(a.limbCount, pieces);
  const piece = (index: number): DecimalNumber => ({
    ptr: a.ptr + 4 * length * index,
    limbCount: Math.min(length, a.limbCount - length * index),
  });
  const product = new ResidueProduct(worker, area, piece(0), b, outPtr, team.threads, true);
  const { rangeCount, blockCount } = product;
  const byRange = (task: number) => [Math.floor(task / rangeCount), task % rangeCount] as const;
  const byBlock = (task: number) => [Math.floor(task / blockCount), task % blockCount] as const;
  team.run(primeCount * rangeCount, (task) => product.splitSecond(...byRange(task)));
  team.run(primeCount * blockCount, (task) => product.forwardSecond(...byBlock(task)));
  const { bytes, kernels } = worker.instance;
  const sideBytes = 4 * paddedLimbs(b.limbCount);
  for (let index = 0; index * length < a.limbCount; index++) {
    const start = outPtr + 4 * length * index;
    const limbs = piece(index).limbCount;
    product.nextFirst(piece(index), start);
    team.run(primeCount * rangeCount, (task) => product.splitFirst(...byRange(task)));
    // The upper limbs of the piece before lie where this one goes: they step aside and are added to it.
    team.run(primeCount * blockCount + 1, (task) => {
      if (task < primeCount * blockCount) {
        product.multiplyBlock(...byBlock(task));
        team.advance(transformShare / (pieces * primeCount * blockCount));
      } else bytes.copyWithin(sidePtr, start, start + sideBytes);
    });
    team.run(rangeCount, (task) => {
      product.combineRange(task);
      team.advance(combineShare / (pieces * rangeCount));
    });
    team.run(rangeCount, (task) => product.addCarries(task));
    if (index > 0) team.run(1, () => kernels.addLimbs(start, limbs + b.limbCount, sidePtr, b.limbCount));
  }
  return normalised(worker, outPtr, a.limbCount + b.limbCount);
}
