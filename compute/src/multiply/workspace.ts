import type { KernelInstance, Ptr } from '../wasm/bridge.ts';
import {
  crtBytes,
  fillTables,
  primeContextBytes,
  tableBytes,
  twiddleScratchBytes,
  writeCrtConstants,
  writePrimeContext,
} from './prime-constants.ts';
import { transformPrimes } from './primes.ts';
import { maxLeafLength, transformShape } from './transform-shape.ts';

export const primeCount = transformPrimes.length;
/** Columns that one step of the combination takes at a time: its residues stay in the first-level cache. */
export const chunkColumns = 64;
/** Blocks into which the combination cuts a product at most; each leaves a record of its carry (assembly/carry.ts). */
export const maxCarryBlocks = 16 * 256;

const alignBytes = 64;

/** Rounds up to a cache line. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / alignBytes) * alignBytes;
}

/** Constants and tables that all threads read. */
export interface TransformTables {
  readonly contextPtrs: readonly Ptr[];
  readonly crtPtr: Ptr;
  /** Levels that the tables reach. */
  readonly levels: number;
}

/** Memory in which one product at a time keeps its residues and carries: of one thread, or shared by a team. */
export interface ResidueArea {
  readonly ptr: Ptr;
  readonly bytes: number;
}

/** Bytes in which the kernels find a product, at the end of a thread's scratch; laid out in assembly/product.ts. */
export const productBytes = aligned(4 * 18);

/** Bytes of one thread's own scratch: leaves of the pointwise product, chunks of the combination, carry states, the product. */
export const scratchBytes =
  aligned(48 * maxLeafLength) +
  4 * 4 * primeCount * chunkColumns * 4 +
  16 * 64 +
  aligned(twiddleScratchBytes) +
  productBytes;

/** Bytes of constants and tables for transforms of `levels` levels. */
export function tablesBytes(levels: number): number {
  const { r, s } = tableBytes(levels);
  return primeCount * (aligned(primeContextBytes) + aligned(r) + aligned(s)) + aligned(crtBytes);
}

/** Lays out tables from `ptr` on and writes what does not grow with the levels. */
export function placeTables(instance: KernelInstance, ptr: Ptr, levels: number): TransformTables {
  const tables = locateTables(ptr, levels);
  const { r } = tableBytes(levels);
  for (const [index, contextPtr] of tables.contextPtrs.entries()) {
    const rTable = contextPtr + aligned(primeContextBytes);
    writePrimeContext(instance, index, contextPtr, rTable, rTable + aligned(r));
  }
  writeCrtConstants(instance, tables.crtPtr);
  return tables;
}

/** The same layout without writing, for the threads that did not place it. */
export function locateTables(ptr: Ptr, levels: number): TransformTables {
  const { r, s } = tableBytes(levels);
  const stride = aligned(primeContextBytes) + aligned(r) + aligned(s);
  return {
    contextPtrs: transformPrimes.map((_, index) => ptr + index * stride),
    crtPtr: ptr + primeCount * stride,
    levels,
  };
}

/** Number of independent pieces of work in filling the tables. */
export function tableTaskCount(levels: number): number {
  return primeCount * Math.ceil(levels / 2);
}

/** Fills one prime's table at one depth, deepest and so largest first. */
export function fillTableTask(instance: KernelInstance, tables: TransformTables, task: number, scratchPtr: Ptr): void {
  const prime = task % primeCount;
  const depth = 2 * (Math.ceil(tables.levels / 2) - 1 - Math.floor(task / primeCount));
  fillTables(instance, prime, tables.contextPtrs[prime]!, depth, depth <= tables.levels - 2, scratchPtr);
}

/** Bytes of the record of one block. */
export const carryRecordBytes = 32;
/** Bytes of the records that the blocks of a combination leave, at the start of an area. */
export const carryBytes = maxCarryBlocks * carryRecordBytes;

/** Bytes of the residues of one operand modulo one prime. */
export function residueArrayBytes(coefficients: number): number {
  return aligned(4 * transformShape(coefficients).coefficients);
}

/** Least bytes of an area for products of up to `coefficients` coefficients: a second operand then takes the primes in turn. */
export function residueAreaBytes(coefficients: number): number {
  return carryBytes + (primeCount + 1) * residueArrayBytes(coefficients);
}
