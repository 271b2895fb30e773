import { KernelError } from '../../../errors.ts';
import { type DecimalNumber, paddedLimbs } from '../../../limbs/decimal-number.ts';
import { openBlob, type StoredBlob } from '../../../limbs/stored-blob.ts';
import { productCoefficients } from '../../../multiply/product-bound.ts';
import { mostLevels } from '../../../multiply/transform-shape.ts';
import {
  fillTableTask,
  placeTables,
  residueAreaBytes,
  residueArrayBytes,
  scratchBytes,
  tablesBytes,
  tableTaskCount,
} from '../../../multiply/workspace.ts';
import { asTask } from '../../../pool/as-task.ts';
import { residueTableBytes } from '../arena.ts';
import { multiplyNeighbours } from '../segment-products.ts';
import { digestLimbs } from './alone-state.ts';
import { openRegion, type RegionClaim, type Take } from './region.ts';
import { multiplyResiduePairs, type StoredNumber, sameResidues } from './stored-number.ts';

/** A product of several numbers that fits one region whole. */
export interface GroupTask {
  readonly claim: RegionClaim;
  readonly factors: readonly StoredNumber[];
  /** At least `groupBlobBytes`. */
  readonly out: StoredBlob;
}

export function groupBlobBytes(totalLimbs: number): number {
  return 4 * paddedLimbs(totalLimbs);
}

/** Addresses of a group task for numbers of `totalLimbs` limbs together. */
export function groupLayout(take: Take, totalLimbs: number, count: number) {
  const coefficients = productCoefficients(totalLimbs, 0);
  const levels = mostLevels(coefficients);
  const areaBytes = residueAreaBytes(coefficients) + 4 * residueArrayBytes(coefficients);
  const bufferBytes = 4 * (totalLimbs + 16 * count + 64);
  return {
    levels,
    tablesPtr: take(tablesBytes(levels)),
    kernelPtr: take(scratchBytes),
    residueTablePtr: take(residueTableBytes),
    accPtr: take(16),
    areaBytes,
    areaPtr: take(areaBytes),
    fromPtr: take(bufferBytes),
    toPtr: take(bufferBytes),
  };
}

/** Multiplies the factors in their order and writes the product, whose residues are checked against theirs. */
export default asTask(async ({ claim, factors, out }: GroupTask): Promise<Omit<StoredNumber, 'blob'>> => {
  const { instance, take } = openRegion(claim);
  const totalLimbs = factors.reduce((sum, { limbCount }) => sum + limbCount, 0);
  const layout = groupLayout(take, totalLimbs, factors.length);
  const tables = placeTables(instance, layout.tablesPtr, layout.levels);
  for (let task = 0; task < tableTaskCount(layout.levels); task++) {
    fillTableTask(instance, tables, task, layout.kernelPtr);
  }
  const numbers: DecimalNumber[] = [];
  let ptr = layout.fromPtr;
  for (const { blob, offsetBytes, limbCount } of factors) {
    const bytes = 4 * paddedLimbs(limbCount);
    await using opened = await openBlob(blob);
    await opened.read(offsetBytes, instance.bytes.subarray(ptr, ptr + bytes));
    numbers.push({ ptr, limbCount });
    ptr += bytes;
  }
  const worker = { instance, tables, scratchPtr: layout.kernelPtr };
  const ownArea = { ptr: layout.areaPtr, bytes: layout.areaBytes };
  const product = multiplyNeighbours({ instance, worker, ownArea }, numbers, layout.fromPtr, layout.toPtr);
  instance.kernels.fillResidueTable(layout.residueTablePtr);
  const found = digestLimbs(instance, layout.residueTablePtr, layout.accPtr, product.ptr, product.limbCount);
  const residues = factors.map((factor) => factor.residues).reduce(multiplyResiduePairs);
  if (!sameResidues(found, residues)) {
    throw new KernelError(`expected a product with residues ${residues}, got ${found}`, {
      code: 'verification-failed',
    });
  }
  await using opened = await openBlob(out);
  await opened.write(0, instance.bytes.subarray(product.ptr, product.ptr + 4 * paddedLimbs(product.limbCount)));
  return { offsetBytes: 0, limbCount: product.limbCount, residues };
});
