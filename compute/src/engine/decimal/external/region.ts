import { KernelError } from '../../../errors.ts';
import { aligned } from '../../../multiply/workspace.ts';
import { instantiateKernels, type KernelInstance, type Ptr, reservedBytes } from '../../../wasm/bridge.ts';

/** What an out-of-core run is on every thread: travels as an argument of its tasks, without copies. */
export interface ExternalShare {
  /** Distinguishes the run from others in the same thread. */
  readonly runId: string;
  readonly module: WebAssembly.Module;
  /** One region per thread, one behind the other. */
  readonly memory: WebAssembly.Memory;
  readonly regionBytes: number;
}

/** A task's claim on one region: nobody else uses it until the task is over. */
export interface RegionClaim {
  readonly share: ExternalShare;
  readonly regionIndex: number;
}

/** Hands out consecutive aligned addresses. */
export type Take = (bytes: number) => Ptr;

/** Bytes that a layout takes. */
export function layoutBytes(layout: (take: Take) => unknown): number {
  let next = 0;
  layout((bytes) => {
    const ptr = next;
    next += aligned(bytes);
    return ptr;
  });
  return next;
}

let opened: { readonly runId: string; readonly instance: KernelInstance } | undefined;

/** The kernels of a run on this thread; a thread of a pool works for one run at a time. */
export function openKernels(share: ExternalShare): KernelInstance {
  if (opened?.runId !== share.runId) {
    opened = { runId: share.runId, instance: instantiateKernels(share.module, share.memory) };
  }
  return opened.instance;
}

/** A claimed region: its kernels, and addresses within it. Taking more than it has is a `KernelError`. */
export function openRegion(claim: RegionClaim): { readonly instance: KernelInstance; readonly take: Take } {
  const { regionBytes } = claim.share;
  const start = reservedBytes + claim.regionIndex * regionBytes;
  let used = 0;
  const take = (bytes: number): Ptr => {
    const ptr = start + used;
    used += aligned(bytes);
    if (used > regionBytes) throw new KernelError(`expected a layout within ${regionBytes} bytes, got ${used}`);
    return ptr;
  };
  return { instance: openKernels(claim.share), take };
}
