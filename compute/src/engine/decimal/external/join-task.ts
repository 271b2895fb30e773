import { overlapSlots, readAhead, WriteBehind } from '../../../limbs/overlap.ts';
import { type OpenBlob, openBlob, type StoredBlob } from '../../../limbs/stored-blob.ts';
import { asTask } from '../../../pool/as-task.ts';
import type { KernelInstance, Ptr } from '../../../wasm/bridge.ts';
import { openRegion, type RegionClaim } from './region.ts';
import type { StoredNumber } from './stored-number.ts';

/** sign·number·B^shiftLimbs. */
export interface JoinTerm {
  readonly number: StoredNumber;
  readonly shiftLimbs: number;
  readonly sign: 1 | -1;
}

/** A sum of terms that is not negative and below B^limbCount, though terms may be longer: what they have beyond that cancels out. */
export interface JoinTask {
  readonly claim: RegionClaim;
  readonly terms: readonly JoinTerm[];
  readonly limbCount: number;
  /** At least 4·limbCount bytes, zeros. */
  readonly out: StoredBlob;
}

/** Largest block of one stream, in limbs. */
const largestBlockLimbs = 65_536;

/**
 * Streams all terms from the lowest limb up, block by block, with one signed carry; the sum modulo B^limbCount, which is the sum. Repeatable.
 * Memory: blocks of all terms.
 */
export default asTask(async ({ claim, terms, limbCount, out }: JoinTask): Promise<void> => {
  const { instance, take } = openRegion(claim);
  const { kernels, longs } = instance;
  const fitting = Math.floor((claim.share.regionBytes - 1024) / (8 + overlapSlots * 4 * (terms.length + 1)));
  const blockLimbs = Math.min(largestBlockLimbs, 16 * Math.floor(fitting / 16), 16 * Math.ceil(limbCount / 16));
  const sumPtr = take(8 * blockLimbs);
  const carryPtr = take(8);
  const slots = Array.from({ length: overlapSlots }, () => ({
    termPtrs: terms.map(() => take(4 * blockLimbs)),
    outPtr: take(4 * blockLimbs),
  }));
  longs[carryPtr >> 3] = 0n;
  await using stack = new AsyncDisposableStack();
  const inputs: OpenBlob[] = [];
  for (const { number } of terms) inputs.push(stack.use(await openBlob(number.blob)));
  const output = stack.use(await openBlob(out));
  const blocks: number[] = [];
  for (let from = 0; from < limbCount; from += blockLimbs) blocks.push(from);
  const width = (from: number) => Math.min(blockLimbs, limbCount - from);
  const writes = new WriteBehind();
  try {
    await readAhead(
      blocks,
      async (from, slot) => {
        const { termPtrs } = slots[slot]!;
        await Promise.all(terms.map((one, i) => loadTerm(instance, inputs[i]!, one, from, width(from), termPtrs[i]!)));
      },
      async (from, slot) => {
        const { termPtrs, outPtr } = slots[slot]!;
        instance.bytes.fill(0, sumPtr, sumPtr + 8 * width(from));
        for (const [index, { sign }] of terms.entries()) {
          kernels.accumulateLimbs(sumPtr, termPtrs[index]!, width(from), sign);
        }
        await writes.free(slot);
        kernels.carrySums(sumPtr, width(from), carryPtr, outPtr);
        writes.start(slot, [output.write(4 * from, instance.bytes.subarray(outPtr, outPtr + 4 * width(from)))]);
      },
    );
    await writes.finish();
  } finally {
    await Promise.allSettled([writes.finish()]);
  }
});

/** Limbs [from, from + width) of a shifted number, zeros where it has none. */
async function loadTerm(
  { bytes }: KernelInstance,
  blob: OpenBlob,
  { number, shiftLimbs }: JoinTerm,
  from: number,
  width: number,
  ptr: Ptr,
): Promise<void> {
  const first = Math.max(0, shiftLimbs - from);
  const end = Math.min(width, shiftLimbs + number.limbCount - from);
  if (first >= end) {
    bytes.fill(0, ptr, ptr + 4 * width);
    return;
  }
  bytes.fill(0, ptr, ptr + 4 * first);
  bytes.fill(0, ptr + 4 * end, ptr + 4 * width);
  await blob.read(number.offsetBytes + 4 * (from + first - shiftLimbs), bytes.subarray(ptr + 4 * first, ptr + 4 * end));
}
