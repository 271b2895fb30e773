import { paddedLimbs } from '../../../limbs/decimal-number.ts';
import { overlapSlots, readAhead, WriteBehind } from '../../../limbs/overlap.ts';
import { type OpenBlob, openBlob, type StoredBlob } from '../../../limbs/stored-blob.ts';
import { fillTables, storeConstant, storeWeights, writePrimeContext } from '../../../multiply/prime-constants.ts';
import { powerMod, transformPrimes } from '../../../multiply/primes.ts';
import { asTask } from '../../../pool/as-task.ts';
import type { KernelInstance, Ptr } from '../../../wasm/bridge.ts';
import { digestLimbs } from './alone-state.ts';
import { partConstant, partRoot } from './fold-field.ts';
import { type FoldShape, residueLayout } from './fold-shape.ts';
import { openRegion, type RegionClaim } from './region.ts';
import type { ResiduePair, StoredNumber } from './stored-number.ts';

/** Bytes read back at a time. */
const digestReadBytes = 2 ** 22;

/** a·b modulo one prime and x^points − z_part; b absent = a². */
export interface ResidueTask {
  readonly claim: RegionClaim;
  readonly shape: FoldShape;
  readonly prime: number;
  readonly part: number;
  readonly a: StoredNumber;
  readonly b: StoredNumber | undefined;
  /** Receives `points` words in [0, p). */
  readonly out: StoredBlob;
  /** Read the residues back, and return what `digestStored` finds of the words. */
  readonly digest: boolean;
}

/**
 * One (prime, part): folds the operands as they stream in, transforms, multiplies, transforms back, and writes the residues. Repeatable.
 * Memory: 16 bytes per column and operand, tables, and a block in each direction; whatever the numbers' lengths.
 */
class ResidueProduct {
  readonly #task: ResidueTask;
  readonly #instance: KernelInstance;
  readonly #layout: ReturnType<typeof residueLayout>;

  constructor(task: ResidueTask) {
    this.#task = task;
    const { instance, take } = openRegion(task.claim);
    this.#instance = instance;
    this.#layout = residueLayout(take, task.shape.transform, task.b === undefined, task.shape.residueColumns);
    const { contextPtr, rTablePtr, sTablePtr, twiddlePtr } = this.#layout;
    const { levels } = task.shape.transform;
    writePrimeContext(instance, task.prime, contextPtr, rTablePtr, sTablePtr);
    for (let depth = 0; depth < levels; depth += 2) {
      fillTables(instance, task.prime, contextPtr, depth, depth <= levels - 2, twiddlePtr);
    }
  }

  async run(): Promise<ResiduePair | undefined> {
    const { shape, a, b } = this.#task;
    const { contextPtr, firstPtr, secondPtr, leafPtr } = this.#layout;
    const { kernels } = this.#instance;
    const { columns, levels, leafLength } = shape.transform;
    await this.#fold(a, firstPtr);
    kernels.forwardNtt(contextPtr, firstPtr, 16 * columns, 0, 0, levels);
    if (b !== undefined && secondPtr !== undefined) {
      await this.#fold(b, secondPtr);
      kernels.forwardNtt(contextPtr, secondPtr, 16 * columns, 0, 0, levels);
    }
    kernels.multiplyPointwise(contextPtr, firstPtr, secondPtr ?? firstPtr, leafLength, 0, 0, levels, leafPtr);
    kernels.inverseNtt(contextPtr, firstPtr, 16 * columns, 0, 0, levels);
    await this.#unfold();
    return this.#task.digest ? this.#digest() : undefined;
  }

  /** The residues as they are on the disk, read to where the transform was. */
  async #digest(): Promise<ResiduePair> {
    const { digestTablePtr, accPtr, firstPtr } = this.#layout;
    const { bytes, kernels } = this.#instance;
    const { points } = this.#task.shape;
    await using out = await openBlob(this.#task.out);
    for (let from = 0; from < 4 * points; from += digestReadBytes) {
      const to = Math.min(4 * points, from + digestReadBytes);
      await out.read(from, bytes.subarray(firstPtr + from, firstPtr + to));
    }
    kernels.fillResidueTable(digestTablePtr);
    return digestLimbs(this.#instance, digestTablePtr, accPtr, firstPtr, points);
  }

  /** Streams an operand into lanes: Horner's scheme over the pieces of `points` coefficients, highest first, block of columns by block. */
  async #fold(number: StoredNumber, lanesPtr: Ptr): Promise<void> {
    const { shape, prime, part } = this.#task;
    const { contextPtr, constantPtr, weightPtrs, slotPtrs, piecesPtr } = this.#layout;
    const instance = this.#instance;
    const { columns } = shape.transform;
    const blockColumns = shape.residueColumns;
    const coefficients = paddedLimbs(number.limbCount) / 2;
    storeConstant(instance, prime, constantPtr, partConstant(prime, part, shape.points));
    this.#setWeights(partRoot(prime, part));
    await using blob = await openBlob(number.blob);
    const steps = listFoldSteps(coefficients, columns, shape.points, blockColumns);
    const load = (step: FoldStep, slot: number) => loadBlock(instance, blob, number.offsetBytes, step, slotPtrs[slot]!);
    await readAhead(steps, load, (step, slot) => {
      const accPtr = piecesPtr + 4 * blockColumns * step.piece;
      if (step.count === 0) instance.bytes.fill(0, accPtr, accPtr + 4 * step.width);
      else {
        const first = step.isFirst ? 1 : 0;
        instance.kernels.foldCoefficients(contextPtr, slotPtrs[slot]!, accPtr, step.width, constantPtr, first);
      }
      if (!step.isLast) return;
      instance.kernels.weightResidues(contextPtr, accPtr, step.width, weightPtrs[step.piece]!);
      if (step.piece < 3) return;
      const outPtr = lanesPtr + 16 * step.from;
      instance.kernels.splitResidues(contextPtr, piecesPtr, 4 * blockColumns, outPtr, step.width);
    });
  }

  /** Lanes back to residues in order, unweighted, and out. */
  async #unfold(): Promise<void> {
    const { shape, prime, part } = this.#task;
    const { contextPtr, firstPtr, weightPtrs, slotPtrs } = this.#layout;
    const { kernels, bytes } = this.#instance;
    const { columns, levels } = shape.transform;
    const blockColumns = shape.residueColumns;
    const p = BigInt(transformPrimes[prime]!.p);
    this.#setWeights(powerMod(partRoot(prime, part), p - 2n, p));
    const writes = new WriteBehind();
    await using out = await openBlob(this.#task.out);
    try {
      for (let from = 0, slot = 0; from < columns; from += blockColumns, slot = (slot + 1) % overlapSlots) {
        await writes.free(slot);
        const to = Math.min(columns, from + blockColumns);
        // The two slots of the fold and its pieces are as large as two blocks of four pieces.
        const blockPtr = slotPtrs[0] + 16 * blockColumns * slot;
        kernels.mergeLanes(contextPtr, firstPtr, from, to, levels, blockPtr, 4 * blockColumns);
        const pieces = weightPtrs.map((weightPtr, piece) => {
          const ptr = blockPtr + 4 * blockColumns * piece;
          kernels.weightResidues(contextPtr, ptr, to - from, weightPtr);
          return out.write(4 * (piece * columns + from), bytes.subarray(ptr, ptr + 4 * (to - from)));
        });
        writes.start(slot, pieces);
      }
    } finally {
      await writes.finish();
    }
  }

  /** Weights root^i for the four pieces, from their first columns on. */
  #setWeights(root: bigint): void {
    const { prime, shape } = this.#task;
    for (const [piece, weightPtr] of this.#layout.weightPtrs.entries()) {
      storeWeights(this.#instance, prime, weightPtr, root, piece * shape.transform.columns);
    }
  }
}

/** One block of one piece to be folded in: coefficients [start, start + count) of the number, `width` with the zeros that follow. */
interface FoldStep {
  readonly from: number;
  readonly width: number;
  readonly piece: number;
  readonly start: number;
  readonly count: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

function listFoldSteps(coefficients: number, columns: number, points: number, blockColumns: number): FoldStep[] {
  const steps: FoldStep[] = [];
  for (let from = 0; from < columns; from += blockColumns) {
    const width = Math.min(blockColumns, columns - from);
    for (let piece = 0; piece < 4; piece++) {
      const lowest = piece * columns + from;
      const turns = Math.max(1, Math.ceil((coefficients - lowest) / points));
      for (let turn = turns - 1; turn >= 0; turn--) {
        const start = lowest + turn * points;
        const count = Math.max(0, Math.min(width, coefficients - start));
        steps.push({ from, width, piece, start, count, isFirst: turn === turns - 1, isLast: turn === 0 });
      }
    }
  }
  return steps;
}

async function loadBlock(
  { bytes }: KernelInstance,
  blob: OpenBlob,
  offsetBytes: number,
  { start, count, width }: FoldStep,
  ptr: Ptr,
): Promise<void> {
  if (count < width) bytes.fill(0, ptr + 8 * count, ptr + 8 * width);
  if (count > 0) await blob.read(offsetBytes + 8 * start, bytes.subarray(ptr, ptr + 8 * count));
}

export default asTask((task: ResidueTask): Promise<ResiduePair | undefined> => new ResidueProduct(task).run());
