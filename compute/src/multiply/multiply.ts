import type { DecimalNumber } from '../limbs/decimal-number.ts';
import { paddedLimbs } from '../limbs/decimal-number.ts';
import type { Ptr } from '../wasm/bridge.ts';
import { multiplyResidue, type ResidueWorker } from './residue.ts';
import { aloneTeam } from './team.ts';
import type { ResidueArea } from './workspace.ts';

/**
 * Up to this many limbs of the shorter operand the schoolbook wins. Set by tuners/schoolbook.ts.
 */
export const schoolbookLimbs = 116;

/** a·b by the schoolbook. Restrictions: as `multiplyAlone`. */
export function multiplySchoolbook(
  worker: ResidueWorker,
  a: DecimalNumber,
  b: DecimalNumber,
  outPtr: Ptr,
): DecimalNumber {
  const { kernels, words } = worker.instance;
  kernels.multiplySchoolbook(a.ptr, a.limbCount, b.ptr, b.limbCount, outPtr);
  const most = a.limbCount + b.limbCount;
  const start = outPtr >> 2;
  const limbCount = words[start + most - 1] === 0 ? most - 1 : most;
  words.fill(0, start + limbCount, start + paddedLimbs(most));
  return { ptr: outPtr, limbCount };
}

/**
 * a·b on this thread by whichever way is quickest.
 * Restrictions: as `multiplyResidue`; out overlaps neither operand.
 */
export function multiplyAlone(
  worker: ResidueWorker,
  area: ResidueArea,
  a: DecimalNumber,
  b: DecimalNumber,
  outPtr: Ptr,
): DecimalNumber {
  if (Math.min(a.limbCount, b.limbCount) <= schoolbookLimbs) return multiplySchoolbook(worker, a, b, outPtr);
  return multiplyResidue(aloneTeam, worker, area, a, b, outPtr);
}
