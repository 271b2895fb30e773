import { type DecimalNumber, paddedLimbs } from '../../limbs/decimal-number.ts';
import { multiplyAlone } from '../../multiply/multiply.ts';
import { productCoefficients } from '../../multiply/product-bound.ts';
import { multiplyResidue } from '../../multiply/residue.ts';
import { multiplyUnbalanced } from '../../multiply/unbalanced.ts';
import type { Ptr } from '../../wasm/bridge.ts';
import type { ThreadState } from './thread-state.ts';

/**
 * Planes that one step takes in together: fewer products of unlike operands, but longer ones of planes. Set by tuners/chain.ts. The heaps hold the
 * product of so many (arena.ts).
 */
const planesAtOnce = 3;
/** Share of a step's time that its squares take, each half of the next one; the other two products take as long as each other. */
const squareShare = 0.22;

/**
 * ∏ P_i^(2^i) = n! / 10^z. From the highest plane down R ← (R·P_i)·R for small R; then three planes at a time, with T = R⁴ and
 * Q = P_{i+2}⁴·P_{i+1}²·P_i, as R ← (T·Q)·T. The result lies at arena.resultPtr; every thread returns the same.
 * `spareHeapPtr`: the heap that does not hold the planes. `progressShare`: units of progress that the chain stands for.
 */
export function multiplyChain(
  state: ThreadState,
  planes: readonly (DecimalNumber | undefined)[],
  spareHeapPtr: Ptr,
  progressShare: number,
): DecimalNumber {
  const { arena, control, team, worker, teamArea } = state;
  team.run(1, () => multiplySmallSteps(state, planes));
  let result: DecimalNumber = { ptr: arena.resultPtr, limbCount: control.resultLimbs };
  let left = control.planesLeft;
  while (left > 0) {
    // The first step takes what makes the rest a multiple.
    const after = planesAtOnce * Math.floor((left - 1) / planesAtOnce);
    // A plane doubles the number, so that a step of three costs about an eighth of the next one.
    const stepUnits = ((1 - 2 ** -planesAtOnce) * progressShare) / 2 ** after;
    let factor = planes[--left];
    while (left > after) {
      team.weigh(0);
      factor = joinPlanes(state, factor, planes[--left], spareHeapPtr);
      team.weigh(((2 / 3) * squareShare * stepUnits) / 2 ** (left - after));
      result = multiplyResidue(team, worker, teamArea, result, result, arena.resultPtr);
    }
    team.weigh(((1 - squareShare) / 2) * stepUnits);
    result = stepTogether(state, result, factor);
  }
  team.weigh(0);
  team.run(1, () => {
    control.resultLimbs = result.limbCount;
  });
  return result;
}

/** upper²·lower, at spareHeapPtr unless it is one of them. */
function joinPlanes(
  state: ThreadState,
  upper: DecimalNumber | undefined,
  lower: DecimalNumber | undefined,
  spareHeapPtr: Ptr,
): DecimalNumber | undefined {
  if (upper === undefined) return lower;
  const { team, worker, teamArea } = state;
  const square = multiplyResidue(team, worker, teamArea, upper, upper, spareHeapPtr);
  return lower === undefined ? square : multiplyResidue(team, worker, teamArea, square, lower, spareHeapPtr);
}

/** The steps of the highest planes, on one thread, as far as their products are small. */
function multiplySmallSteps(state: ThreadState, planes: readonly (DecimalNumber | undefined)[]): void {
  const { arena, instance, control } = state;
  instance.words.set([1, 0, 0, 0, 0, 0, 0, 0], arena.resultPtr >> 2);
  let result: DecimalNumber = { ptr: arena.resultPtr, limbCount: 1 };
  let left = planes.length;
  for (; left > 0; left--) {
    const factor = planes[left - 1];
    if (productCoefficients(2 * result.limbCount, factor?.limbCount ?? 0) > arena.tuning.chainAloneCoefficients) break;
    result = stepAlone(state, result, factor);
  }
  control.planesLeft = left;
  control.resultLimbs = result.limbCount;
}

/** One step by way of the team's area, which is idle: it holds R·P and the square side by side. */
function stepAlone(state: ThreadState, r: DecimalNumber, factor: DecimalNumber | undefined): DecimalNumber {
  const { worker, ownArea, teamArea, instance, arena } = state;
  const product = factor === undefined ? r : multiplyAlone(worker, ownArea, r, factor, teamArea.ptr);
  const outPtr = teamArea.ptr + 4 * paddedLimbs(product.limbCount + 8);
  const square = multiplyAlone(worker, ownArea, product, r, outPtr);
  instance.bytes.copyWithin(arena.resultPtr, square.ptr, square.ptr + 4 * paddedLimbs(square.limbCount));
  return { ptr: arena.resultPtr, limbCount: square.limbCount };
}

function stepTogether(state: ThreadState, r: DecimalNumber, factor: DecimalNumber | undefined): DecimalNumber {
  const { team, worker, teamArea } = state;
  const product = factor === undefined ? r : multiplyBeside(state, r, factor);
  // All limbs are in residues before the first one of the product is written: it may take the place of its operands.
  return multiplyResidue(team, worker, teamArea, product, r, state.arena.resultPtr);
}

/** r·factor right after r; what the pieces of r set aside goes after the product. */
function multiplyBeside(state: ThreadState, r: DecimalNumber, factor: DecimalNumber): DecimalNumber {
  const { team, worker, teamArea } = state;
  const outPtr = r.ptr + 4 * paddedLimbs(r.limbCount);
  const sidePtr = outPtr + 4 * paddedLimbs(r.limbCount + factor.limbCount + 8);
  const [long, short] = r.limbCount >= factor.limbCount ? [r, factor] : [factor, r];
  return multiplyUnbalanced(team, worker, teamArea, long, short, outPtr, sidePtr);
}
