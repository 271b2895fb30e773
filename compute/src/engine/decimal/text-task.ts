import { asTask } from '../../pool/as-task.ts';
import { instantiateKernels, type Kernels, type Ptr } from '../../wasm/bridge.ts';
import type { DecimalShare } from './thread-state.ts';

/** Limbs to turn into text at textPtr of the same memory. */
export interface TextTask {
  readonly share: DecimalShare;
  readonly limbsPtr: Ptr;
  readonly limbCount: number;
  readonly textPtr: Ptr;
}

/** The kernels of the run this thread works for; a thread of a pool works for one run only. */
let opened: { readonly runId: string; readonly kernels: Kernels } | undefined;

export default asTask(({ share, limbsPtr, limbCount, textPtr }: TextTask): void => {
  if (opened?.runId !== share.runId) {
    opened = { runId: share.runId, kernels: instantiateKernels(share.module, share.memory).kernels };
  }
  opened.kernels.limbsToText(limbsPtr, limbCount, textPtr);
});
