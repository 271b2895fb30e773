import { type DecimalNumber, paddedLimbs } from '../../limbs/decimal-number.ts';
import { multiplyAlone } from '../../multiply/multiply.ts';
import { multiplyResidue, productCoefficients } from '../../multiply/residue.ts';
import type { Ptr } from '../../wasm/bridge.ts';
import type { ThreadState } from './thread-state.ts';

/** Coefficients up to which one thread does a step of the chain by itself: below it the team's meetings cost more than they bring. */
const chainAloneCoefficients = 1 << 11;

/**
 * ∏ P_i^(2^i) = n! / 10^z: from the highest plane down R ← (R·P_i)·R. The result lies at arena.resultPtr; every thread returns the same.
 * `progressShare`: millionths of the run that the chain stands for.
 */
export function multiplyChain(
  state: ThreadState,
  planes: readonly (DecimalNumber | undefined)[],
  progressShare: number,
): DecimalNumber {
  const { arena, control, team } = state;
  team.run(1, () => multiplySmallSteps(state, planes));
  let result: DecimalNumber = { ptr: arena.resultPtr, limbCount: control.resultLimbs };
  for (let plane = control.planesLeft - 1; plane >= 0; plane--) {
    result = stepTogether(state, result, planes[plane]);
    // A step costs about half of the next one.
    control.addProgress(progressShare / 2 ** (plane + 1) / arena.threads);
  }
  team.run(1, () => {
    control.resultLimbs = result.limbCount;
  });
  return result;
}

/** The steps of the highest planes, on one thread, as far as their products are small. */
function multiplySmallSteps(state: ThreadState, planes: readonly (DecimalNumber | undefined)[]): void {
  const { arena, instance, control } = state;
  instance.words.set([1, 0, 0, 0, 0, 0, 0, 0], arena.resultPtr >> 2);
  let result: DecimalNumber = { ptr: arena.resultPtr, limbCount: 1 };
  let left = planes.length;
  for (; left > 0; left--) {
    const factor = planes[left - 1];
    if (productCoefficients(2 * result.limbCount, factor?.limbCount ?? 0) > chainAloneCoefficients) break;
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
  const product = factor === undefined ? r : multiplyResidue(team, worker, teamArea, r, factor, besideResult(r));
  // All limbs are in residues before the first one of the product is written: it may take the place of its operands.
  return multiplyResidue(team, worker, teamArea, product, r, state.arena.resultPtr);
}

/** The first address after a number. */
function besideResult(number: DecimalNumber): Ptr {
  return number.ptr + 4 * paddedLimbs(number.limbCount);
}
