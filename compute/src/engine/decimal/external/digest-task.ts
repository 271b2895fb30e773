import { readAhead } from '../../../limbs/overlap.ts';
import { openBlob } from '../../../limbs/stored-blob.ts';
import { asTask } from '../../../pool/as-task.ts';
import { residueTableBytes } from '../arena.ts';
import { openRegion, type RegionClaim } from './region.ts';
import type { ResiduePair, StoredNumber } from './stored-number.ts';

/** Residues of limbs [from, to) of a stored number, as a number of their own. */
export interface DigestTask {
  readonly claim: RegionClaim;
  readonly number: Pick<StoredNumber, 'blob' | 'offsetBytes'>;
  readonly from: number;
  readonly to: number;
  readonly blockLimbs: number;
}

export default asTask(async ({ claim, number, from, to, blockLimbs }: DigestTask): Promise<ResiduePair> => {
  const { instance, take } = openRegion(claim);
  const tablePtr = take(residueTableBytes);
  const accPtr = take(16);
  const slotPtrs = [take(4 * blockLimbs), take(4 * blockLimbs)] as const;
  instance.kernels.fillResidueTable(tablePtr);
  instance.longs.fill(0n, accPtr >> 3, (accPtr >> 3) + 2);
  await using blob = await openBlob(number.blob);
  const ends: number[] = [];
  for (let end = to; end > from; end -= blockLimbs) ends.push(end);
  const start = (end: number) => Math.max(from, end - blockLimbs);
  await readAhead(
    ends,
    (end, slot) => {
      const ptr = slotPtrs[slot]!;
      const bytes = instance.bytes.subarray(ptr, ptr + 4 * (end - start(end)));
      return blob.read(number.offsetBytes + 4 * start(end), bytes);
    },
    (end, slot) => instance.kernels.appendLimbResidues(tablePtr, slotPtrs[slot]!, end - start(end), accPtr),
  );
  return [instance.longs[accPtr >> 3]!, instance.longs[(accPtr >> 3) + 1]!];
});
