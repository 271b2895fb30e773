/// <reference path="./web-assembly.d.ts" />
import { readFileSync } from 'node:fs';

/** Address of a byte in the shared WASM memory. */
export type Ptr = number;

/** The kernels as compiled from `assembly/`; ranges and layouts are stated there, at each export. */
export interface Kernels {
  fillTwiddles(ctxPtr: Ptr, tablePtr: Ptr, strideBytes: number, log2Count: number, zPtr: Ptr): void;
  forwardLevel(ctxPtr: Ptr, ptr: Ptr, bytes: number, depth: number, block: number, from: number, to: number): void;
  forwardNtt(ctxPtr: Ptr, ptr: Ptr, bytes: number, depth: number, block: number, levels: number): void;
  inverseLevel(ctxPtr: Ptr, ptr: Ptr, bytes: number, depth: number, block: number, from: number, to: number): void;
  inverseNtt(ctxPtr: Ptr, ptr: Ptr, bytes: number, depth: number, block: number, levels: number): void;
  multiplyPointwise(
    ctxPtr: Ptr,
    aPtr: Ptr,
    bPtr: Ptr,
    leafLength: number,
    depth: number,
    block: number,
    levels: number,
    scratchPtr: Ptr,
  ): void;
  splitLanes(ctxPtr: Ptr, limbsPtr: Ptr, outPtr: Ptr, columns: number, from: number, to: number, pieces: number): void;
  mergeLanes(
    ctxPtr: Ptr,
    lanesPtr: Ptr,
    from: number,
    to: number,
    levels: number,
    outPtr: Ptr,
    pieceBytes: number,
  ): void;
  combineResidues(crtPtr: Ptr, residuesPtr: Ptr, primeBytes: number, count: number, outPtr: Ptr, statePtr: Ptr): void;
  splitRange(productPtr: Ptr, prime: number, range: number, limbsPtr: Ptr, limbCount: number, lanesPtr: Ptr): void;
  forwardBlock(productPtr: Ptr, prime: number, block: number, lanesPtr: Ptr): void;
  multiplyBlock(productPtr: Ptr, prime: number, block: number, aPtr: Ptr, bPtr: Ptr): void;
  combineRange(productPtr: Ptr, range: number): void;
  addCarriesRange(productPtr: Ptr, range: number): number;
  foldCoefficients(ctxPtr: Ptr, limbsPtr: Ptr, accPtr: Ptr, count: number, constantPtr: Ptr, first: number): void;
  weightResidues(ctxPtr: Ptr, ptr: Ptr, count: number, weightsPtr: Ptr): void;
  splitResidues(ctxPtr: Ptr, piecesPtr: Ptr, pieceBytes: number, outPtr: Ptr, count: number): void;
  interpolateResidues(
    ctxPtr: Ptr,
    inPtr: Ptr,
    strideBytes: number,
    parts: number,
    rowPtr: Ptr,
    outPtr: Ptr,
    count: number,
  ): void;
  flushCarry(statePtr: Ptr, carryPtr: Ptr): void;
  recordBlock(limbsPtr: Ptr, count: number, recordPtr: Ptr): void;
  addCarryIn(recordsPtr: Ptr, index: number, limbsPtr: Ptr, count: number): number;
  addLimbs(ptr: Ptr, count: number, addPtr: Ptr, addCount: number): number;
  accumulateLimbs(sumPtr: Ptr, limbsPtr: Ptr, count: number, sign: number): void;
  carrySums(sumPtr: Ptr, count: number, carryPtr: Ptr, outPtr: Ptr): void;
  multiplySchoolbook(aPtr: Ptr, aCount: number, bPtr: Ptr, bCount: number, outPtr: Ptr): void;
  multiplyWords(wordsPtr: Ptr, count: number, outPtr: Ptr, scratchPtr: Ptr): number;
  fillResidueTable(tablePtr: Ptr): void;
  appendLimbResidues(tablePtr: Ptr, limbsPtr: Ptr, count: number, accPtr: Ptr): void;
  multiplyPowerResidues(pairsPtr: Ptr, count: number, accPtr: Ptr): void;
  multiplyLargePowerResidues(pairsPtr: Ptr, count: number, accPtr: Ptr): void;
  multiplyResidues(accPtr: Ptr, otherPtr: Ptr): void;
  multiplyUpTo(n: number, accPtr: Ptr): void;
  packFactors(n: number, wordsPtr: Ptr): number;
  listPrimePowers(
    basePtr: Ptr,
    baseCount: number,
    low: number,
    high: number,
    n: number,
    m: number,
    bytesPtr: Ptr,
    pairsPtr: Ptr,
  ): number;
  selectPlane(pairsPtr: Ptr, count: number, plane: number, wordsPtr: Ptr): number;
  listLargePrimePowers(
    basePtr: Ptr,
    baseCount: number,
    low: bigint,
    high: bigint,
    n: bigint,
    m: bigint,
    bytesPtr: Ptr,
    sieveBytes: number,
    pairsPtr: Ptr,
  ): number;
  selectLargePlane(pairsPtr: Ptr, count: number, plane: number, longsPtr: Ptr): number;
  multiplyLongs(longsPtr: Ptr, count: number, outPtr: Ptr, scratchPtr: Ptr): number;
  limbsToText(limbsPtr: Ptr, count: number, textPtr: Ptr): void;
  textToLimbs(textPtr: Ptr, digits: number, limbsPtr: Ptr): number;
  fillTextResidueTable(tablePtr: Ptr): void;
  appendTextResidues(tablePtr: Ptr, textPtr: Ptr, digits: number, accPtr: Ptr): number;
}

/** Bytes below the first address that may be used: what the compiler keeps for itself. */
export const reservedBytes = 65_536;
/** Bytes that one 32-bit memory can hold. */
export const maxMemoryBytes = 2 ** 32 - 65_536;
const pageBytes = 65_536;

/** Kernels over one memory, with the views through which this thread reads and writes it. */
export interface KernelInstance {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly words: Uint32Array<SharedArrayBuffer>;
  readonly signedWords: Int32Array<SharedArrayBuffer>;
  readonly doubles: Float64Array<SharedArrayBuffer>;
  readonly longs: BigUint64Array<SharedArrayBuffer>;
}

/** Compiles the kernels; `debug` asserts every range. About 5 ms. The module may be sent to other threads. */
export function compileKernels(debug = false): WebAssembly.Module {
  const file = new URL(`../../build/kernels${debug ? '-debug' : ''}.wasm`, import.meta.url);
  return new WebAssembly.Module(readFileSync(file));
}

let shared: WebAssembly.Module | undefined;

/** The kernels of this thread, compiled on first use. */
export function sharedModule(): WebAssembly.Module {
  shared ??= compileKernels();
  return shared;
}

/** A zeroed shared memory of at least `bytes` bytes that never grows, so that views of it stay valid. Pages cost nothing until touched. */
export function createMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / pageBytes);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelInstance {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const { buffer } = memory;
  return {
    module,
    memory,
    kernels: exports as Kernels,
    bytes: new Uint8Array(buffer),
    words: new Uint32Array(buffer),
    signedWords: new Int32Array(buffer),
    doubles: new Float64Array(buffer),
    longs: new BigUint64Array(buffer),
  };
}
