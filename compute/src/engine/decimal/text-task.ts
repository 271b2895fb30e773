import { digitsPerLimb } from '../../multiply/prime-constants.ts';
import { asTask } from '../../pool/as-task.ts';
import { instantiateKernels, type KernelInstance } from '../../wasm/bridge.ts';
import { TextRing } from './text-ring.ts';
import type { DecimalShare } from './thread-state.ts';

/** The text of a result, for one of the threads that write it. */
export interface TextTask {
  readonly share: DecimalShare;
  readonly limbCount: number;
  readonly threadIndex: number;
}

/** Limbs parsed at a time: text, limbs and table stay in the first-level cache. */
const pieceLimbs = 1024;

/** One thread's part of the text, start to end: all parts run at the same time, and what one leaves the others do. */
export default asTask(({ share, limbCount, threadIndex }: TextTask): void => {
  const instance = instantiateKernels(share.module, share.memory);
  const ring = new TextRing(instance, share.arena, limbCount);
  const scratchPtr = share.arena.scratchPtrs[threadIndex]!.kernelPtr;
  let isFirst = true;
  for (let job = ring.takeJob(threadIndex, true); job !== undefined; job = ring.takeJob(threadIndex, isFirst)) {
    isFirst = false;
    const old = job - ring.slotCount;
    if (old >= 0 && !ring.isRead(job)) {
      ring.awaitShown(old);
      readAgain(instance, ring, old, share.arena.residueTablePtr, scratchPtr);
    }
    ring.markRead(job);
    if (job >= ring.chunkCount) continue;
    if (old >= 0) ring.awaitReleased(old);
    const { limbsPtr, limbCount: count, textPtr } = ring.chunk(job);
    instance.kernels.limbsToText(limbsPtr, count, textPtr);
    ring.markWritten(job);
  }
});

/** Leaves the residues that the text of a chunk has now. */
function readAgain(
  { kernels, longs }: KernelInstance,
  ring: TextRing,
  chunk: number,
  tablePtr: number,
  scratchPtr: number,
): void {
  const { limbCount, textPtr } = ring.chunk(chunk);
  const accPtr = ring.residuesPtr(chunk);
  longs.fill(0n, accPtr >> 3, (accPtr >> 3) + 2);
  for (let done = 0; done < limbCount; done += pieceLimbs) {
    const count = Math.min(pieceLimbs, limbCount - done);
    const isDigits = kernels.textToLimbs(textPtr + digitsPerLimb * done, digitsPerLimb * count, scratchPtr);
    if (isDigits === 0) ring.noteStrange();
    kernels.appendLimbResidues(tablePtr, scratchPtr, count, accPtr);
  }
}
