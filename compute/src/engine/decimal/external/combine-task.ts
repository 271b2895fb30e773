import { readAhead, WriteBehind } from '../../../limbs/overlap.ts';
import { type OpenBlob, openBlob, type StoredBlob } from '../../../limbs/stored-blob.ts';
import { writeCrtConstants, writePrimeContext } from '../../../multiply/prime-constants.ts';
import { transformPrimes } from '../../../multiply/primes.ts';
import { primeCount } from '../../../multiply/workspace.ts';
import { asTask } from '../../../pool/as-task.ts';
import type { KernelInstance, Ptr } from '../../../wasm/bridge.ts';
import { interpolationRows } from './fold-field.ts';
import { combineChunkColumns, combineLayout, type FoldShape } from './fold-shape.ts';
import { openRegion, type RegionClaim } from './region.ts';

/** Residues to limbs for points [from, to) of every stretch of `points` coefficients of the product. */
export interface CombineTask {
  readonly claim: RegionClaim;
  readonly shape: FoldShape;
  readonly from: number;
  readonly to: number;
  /** residues[prime][part]. */
  readonly residues: readonly (readonly StoredBlob[])[];
  readonly out: StoredBlob;
}

/** What is still to be added above the limbs of one stretch: three limbs. */
export type Carry = readonly [number, number, number];

/**
 * Interpolates over the parts, prime by prime, then from residues to limbs with carries. Stretch t is a run of consecutive coefficients from
 * t·points + from on; its carry is returned, not added. Repeatable. Memory: blocks of all parts, whatever the product's length.
 */
class Combination {
  readonly #task: CombineTask;
  readonly #instance: KernelInstance;
  readonly #layout: ReturnType<typeof combineLayout>;

  constructor(task: CombineTask) {
    this.#task = task;
    const { instance, take } = openRegion(task.claim);
    const { parts, points, combineColumns } = task.shape;
    this.#instance = instance;
    this.#layout = combineLayout(take, parts, combineColumns);
    const { contextPtrs, crtPtr, rowsPtr, statesPtr } = this.#layout;
    writeCrtConstants(instance, crtPtr);
    for (const [prime, contextPtr] of contextPtrs.entries()) {
      writePrimeContext(instance, prime, contextPtr, 0, 0);
      const p = BigInt(transformPrimes[prime]!.p);
      const rows = interpolationRows(prime, parts, points).flat();
      // Times 2^32: Montgomery's reduction divides by it.
      const words = rows.map((entry) => Number((entry << 32n) % p));
      instance.words.set(words, (rowsPtr >> 2) + prime * parts * parts);
    }
    instance.bytes.fill(0, statesPtr, statesPtr + 64 * parts);
  }

  async run(): Promise<Carry[]> {
    const { shape, from, to, residues } = this.#task;
    const opened: OpenBlob[] = [];
    const writes = new WriteBehind();
    try {
      const out = await openBlob(this.#task.out);
      opened.push(out);
      const inputs: OpenBlob[] = [];
      for (const blob of residues.flat()) {
        const input = await openBlob(blob);
        opened.push(input);
        inputs.push(input);
      }
      const blocks: number[] = [];
      for (let start = from; start < to; start += shape.combineColumns) blocks.push(start);
      const end = (start: number) => Math.min(to, start + shape.combineColumns);
      await readAhead(
        blocks,
        async (start, slot) => this.#load(inputs, start, end(start), slot),
        async (start, slot) => {
          await writes.free(slot);
          this.#combine(end(start) - start, start, slot);
          writes.start(slot, this.#store(out, start, end(start), slot));
        },
      );
      await writes.finish();
      return this.#carries();
    } finally {
      await Promise.allSettled([writes.finish()]);
      for (const blob of opened) await blob[Symbol.asyncDispose]();
    }
  }

  async #load(inputs: readonly OpenBlob[], start: number, end: number, slot: number): Promise<void> {
    const base = this.#layout.inPtrs[slot]!;
    const strideBytes = 4 * this.#task.shape.combineColumns;
    const { bytes } = this.#instance;
    const reads = inputs.map((input, index) => {
      const ptr = base + index * strideBytes;
      return input.read(4 * start, bytes.subarray(ptr, ptr + 4 * (end - start)));
    });
    await Promise.all(reads);
  }

  /** One block: `width` points from `start` on of every stretch. */
  #combine(width: number, start: number, slot: number): void {
    const { shape } = this.#task;
    for (let chunk = 0; chunk < width; chunk += combineChunkColumns) {
      const columns = Math.min(combineChunkColumns, width - chunk);
      for (let stretch = 0; stretch < shape.parts; stretch++) {
        const left = shape.coefficients - stretch * shape.points - start - chunk;
        if (left > 0) this.#combineChunk(stretch, chunk, Math.min(columns, left), slot);
      }
    }
  }

  #combineChunk(stretch: number, chunk: number, count: number, slot: number): void {
    const { shape } = this.#task;
    const { parts, combineColumns } = shape;
    const { contextPtrs, crtPtr, rowsPtr, statesPtr, chunkPtr, inPtrs, outPtrs } = this.#layout;
    const { kernels } = this.#instance;
    const strideBytes = 4 * combineColumns;
    for (let prime = 0; prime < primeCount; prime++) {
      const inPtr: Ptr = inPtrs[slot]! + prime * parts * strideBytes + 4 * chunk;
      const rowPtr = rowsPtr + 4 * parts * (prime * parts + stretch);
      const outPtr = chunkPtr + 4 * combineChunkColumns * prime;
      kernels.interpolateResidues(contextPtrs[prime]!, inPtr, strideBytes, parts, rowPtr, outPtr, count);
    }
    const limbsPtr = outPtrs[slot]! + 8 * (stretch * combineColumns + chunk);
    kernels.combineResidues(crtPtr, chunkPtr, 4 * combineChunkColumns, count, limbsPtr, statesPtr + 64 * stretch);
  }

  #store(out: OpenBlob, start: number, end: number, slot: number): Promise<void>[] {
    const { shape } = this.#task;
    const { bytes } = this.#instance;
    const writes: Promise<void>[] = [];
    for (let stretch = 0; stretch < shape.parts; stretch++) {
      const first = stretch * shape.points + start;
      const count = Math.min(end - start, shape.coefficients - first);
      if (count <= 0) break;
      const ptr = this.#layout.outPtrs[slot]! + 8 * stretch * shape.combineColumns;
      writes.push(out.write(8 * first, bytes.subarray(ptr, ptr + 8 * count)));
    }
    return writes;
  }

  #carries(): Carry[] {
    const { kernels, words } = this.#instance;
    const { statesPtr, carryPtr } = this.#layout;
    return Array.from({ length: this.#task.shape.parts }, (_, stretch) => {
      kernels.flushCarry(statesPtr + 64 * stretch, carryPtr);
      const index = carryPtr >> 2;
      return [words[index]!, words[index + 1]!, words[index + 2]!] as const;
    });
  }
}

export default asTask((task: CombineTask): Promise<Carry[]> => new Combination(task).run());
