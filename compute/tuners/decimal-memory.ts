/** Memory, tables and timing for the tuners of the decimal kernels: one thread, release kernels. */
import type { ResidueWorker } from '../src/multiply/residue.ts';
import {
  aligned,
  fillTableTask,
  placeTables,
  type ResidueArea,
  residueAreaBytes,
  residueArrayBytes,
  scratchBytes,
  tablesBytes,
  tableTaskCount,
} from '../src/multiply/workspace.ts';
import { compileKernels, createMemory, instantiateKernels, type Ptr, reservedBytes } from '../src/wasm/bridge.ts';

export interface TunerMemory {
  readonly worker: ResidueWorker;
  readonly area: ResidueArea;
  take(bytes: number): Ptr;
}

export function openTunerMemory(coefficients: number, levels: number, extraBytes: number): TunerMemory {
  const areaBytes = residueAreaBytes(coefficients) + 4 * residueArrayBytes(coefficients);
  const bytes = reservedBytes + tablesBytes(levels) + scratchBytes + areaBytes + extraBytes;
  const instance = instantiateKernels(compileKernels(), createMemory(bytes));
  let next = reservedBytes;
  const take = (size: number): Ptr => {
    const ptr = next;
    next += aligned(size);
    return ptr;
  };
  const tables = placeTables(instance, take(tablesBytes(levels)), levels);
  const scratchPtr = take(scratchBytes);
  for (let task = 0; task < tableTaskCount(levels); task++) fillTableTask(instance, tables, task, scratchPtr);
  return { worker: { instance, tables, scratchPtr }, area: { ptr: take(areaBytes), bytes: areaBytes }, take };
}

/** Least nanoseconds of many short runs: what the work costs when nothing else runs, however busy the machine is. */
export function leastNanoseconds(work: () => void, totalMs = 200): number {
  let least = Number.POSITIVE_INFINITY;
  const endMs = performance.now() + totalMs;
  for (let runs = 0; runs < 5 || performance.now() < endMs; runs++) {
    const startMs = performance.now();
    work();
    least = Math.min(least, performance.now() - startMs);
  }
  return least * 1e6;
}

/** Random limbs at ptr. */
export function fillLimbs(memory: TunerMemory, ptr: Ptr, count: number): void {
  const { words } = memory.worker.instance;
  for (let index = 0; index < count; index++) words[(ptr >> 2) + index] = 1 + Math.floor(Math.random() * 999_999_999);
}
