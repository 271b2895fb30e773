import { digitsPerLimb } from '../../multiply/prime-constants.ts';
import { asTask } from '../../pool/as-task.ts';
import { instantiateKernels, type KernelInstance, type Ptr } from '../../wasm/bridge.ts';
import { TextRing } from './text-ring.ts';
import type { DecimalShare } from './thread-state.ts';

/** The text of a result, for one of the threads that write it. */
export interface TextTask {
  readonly share: DecimalShare;
  readonly limbCount: number;
  readonly threadIndex: number;
}

/** One thread's part of the text, start to end: all parts run at the same time, and what one leaves the others do. */
export default asTask(({ share, limbCount, threadIndex }: TextTask): void => {
  const instance = instantiateKernels(share.module, share.memory);
  const ring = new TextRing(instance, share.arena, limbCount);
  let isFirst = true;
  for (let job = ring.takeJob(threadIndex, true); job !== undefined; job = ring.takeJob(threadIndex, isFirst)) {
    isFirst = false;
    const old = job - ring.slotCount;
    if (old >= 0 && !ring.isRead(job)) {
      ring.awaitShown(old);
      readAgain(instance, ring, old, share.arena.textResidueTablePtr);
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
function readAgain({ kernels, longs }: KernelInstance, ring: TextRing, chunk: number, tablePtr: Ptr): void {
  const { limbCount, textPtr } = ring.chunk(chunk);
  const accPtr = ring.residuesPtr(chunk);
  longs.fill(0n, accPtr >> 3, (accPtr >> 3) + 2);
  if (kernels.appendTextResidues(tablePtr, textPtr, digitsPerLimb * limbCount, accPtr) === 0) ring.noteStrange();
}
