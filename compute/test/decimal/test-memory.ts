import type { ResidueWorker } from '../../src/multiply/residue.ts';
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
} from '../../src/multiply/workspace.ts';
import {
  compileKernels,
  createMemory,
  instantiateKernels,
  type KernelInstance,
  type Ptr,
  reservedBytes,
} from '../../src/wasm/bridge.ts';

/** One thread's memory for trying kernels: tables, scratch, a residue area, and room to take more. */
export interface TestMemory {
  readonly instance: KernelInstance;
  readonly worker: ResidueWorker;
  readonly area: ResidueArea;
  /** The next free bytes; never given back. */
  take(bytes: number): Ptr;
}

/** Debug kernels, so that every range is asserted, over memory for products of up to `coefficients` coefficients; `tight` leaves the second operand one array. */
export function makeTestMemory(coefficients: number, levels: number, tight = false, extraBytes = 1 << 24): TestMemory {
  const areaBytes = residueAreaBytes(coefficients) + (tight ? 0 : 4 * residueArrayBytes(coefficients));
  const bytes = tablesBytes(levels) + areaBytes + scratchBytes + extraBytes;
  const instance = instantiateKernels(compileKernels(true), createMemory(bytes + reservedBytes));
  let next = reservedBytes;
  const take = (size: number): Ptr => {
    const ptr = next;
    next += aligned(size);
    if (next > instance.bytes.length) throw new RangeError(`test memory of ${instance.bytes.length} bytes is used up`);
    return ptr;
  };
  const tables = placeTables(instance, take(tablesBytes(levels)), levels);
  const scratchPtr = take(scratchBytes);
  for (let task = 0; task < tableTaskCount(levels); task++) fillTableTask(instance, tables, task, scratchPtr);
  const area = { ptr: take(areaBytes), bytes: areaBytes };
  return { instance, worker: { instance, tables, scratchPtr }, area, take };
}
