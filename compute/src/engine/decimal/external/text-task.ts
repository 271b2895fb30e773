import { openBlob, type StoredBlob } from '../../../limbs/stored-blob.ts';
import { asTask } from '../../../pool/as-task.ts';
import type { Ptr } from '../../../wasm/bridge.ts';
import { type ExternalShare, openKernels } from './region.ts';

/** Limbs of a blob to be read to limbsPtr and turned into text at textPtr. */
export interface StoredTextTask {
  readonly share: ExternalShare;
  readonly blob: StoredBlob;
  readonly offsetBytes: number;
  readonly limbCount: number;
  readonly limbsPtr: Ptr;
  readonly textPtr: Ptr;
}

export default asTask(async (task: StoredTextTask): Promise<void> => {
  const { kernels, bytes } = openKernels(task.share);
  await using blob = await openBlob(task.blob);
  await blob.read(task.offsetBytes, bytes.subarray(task.limbsPtr, task.limbsPtr + 4 * task.limbCount));
  kernels.limbsToText(task.limbsPtr, task.limbCount, task.textPtr);
});
