import { transformShape } from '../../../multiply/transform-shape.ts';
import { fillTableTask, placeTables, tablesBytes, tableTaskCount } from '../../../multiply/workspace.ts';
import type { KernelInstance, Ptr } from '../../../wasm/bridge.ts';
import { residueTableBytes, takeScratch } from '../arena.ts';
import type { LeafState } from '../segment-products.ts';
import { defaultTuning } from '../tuning.ts';
import type { Take } from './region.ts';
import type { ResiduePair } from './stored-number.ts';

/** Coefficients of the largest product within one segment of the sieve. */
export function segmentCoefficients(span: number): number {
  // Primes of a segment are fewer than 2·span/ln span (Brun and Titchmarsh), and each is below one limb.
  const limbs = Math.ceil((2 * span) / Math.log(span)) + 64;
  return Math.min(defaultTuning.aloneCoefficients, 4 * Math.ceil(limbs / 4));
}

/** Addresses of a segment task. */
export function segmentLayout(take: Take, n: number, span: number) {
  const coefficients = segmentCoefficients(span);
  const { levels } = transformShape(coefficients);
  return {
    levels,
    // Every other number up to √n at most.
    basePrimesPtr: take(2 * Math.sqrt(n) + 64),
    tablesPtr: take(tablesBytes(levels)),
    scratch: takeScratch(take, span, coefficients, defaultTuning),
    residueTablePtr: take(residueTableBytes),
    accPtr: take(16),
  };
}

/** A thread's state for products of listed words, its tables filled. */
export function makeLeafState(instance: KernelInstance, layout: ReturnType<typeof segmentLayout>): LeafState {
  const { scratch, levels } = layout;
  const tables = placeTables(instance, layout.tablesPtr, levels);
  for (let task = 0; task < tableTaskCount(levels); task++) fillTableTask(instance, tables, task, scratch.kernelPtr);
  return {
    instance,
    scratch,
    worker: { instance, tables, scratchPtr: scratch.kernelPtr },
    ownArea: { ptr: scratch.areaPtr, bytes: scratch.areaBytes },
  };
}

/** Residues of `limbCount` limbs in memory. Restrictions: the table is filled. */
export function digestLimbs(
  { longs, kernels }: KernelInstance,
  tablePtr: Ptr,
  accPtr: Ptr,
  limbsPtr: Ptr,
  limbCount: number,
): ResiduePair {
  longs.fill(0n, accPtr >> 3, (accPtr >> 3) + 2);
  kernels.appendLimbResidues(tablePtr, limbsPtr, limbCount, accPtr);
  return [longs[accPtr >> 3]!, longs[(accPtr >> 3) + 1]!];
}
