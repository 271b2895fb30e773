import { KernelError } from '../errors.ts';
import type { DecimalNumber } from '../limbs/decimal-number.ts';
import type { KernelInstance, Ptr } from '../wasm/bridge.ts';
import { assertNothingCarried, assertProductBound, productCoefficients } from './product-bound.ts';
import type { Team } from './team.ts';
import { maxLeafLength, type TransformShape, transformShape } from './transform-shape.ts';
import {
  aligned,
  carryBytes,
  carryRecordBytes,
  chunkColumns,
  primeCount,
  type ResidueArea,
  residueArrayBytes,
  type TransformTables,
} from './workspace.ts';

/** What a thread needs to take part in products by residues. */
export interface ResidueWorker {
  readonly instance: KernelInstance;
  readonly tables: TransformTables;
  /** This thread's own `scratchBytes`. */
  readonly scratchPtr: Ptr;
  /** In place of `togetherBytes`. */
  readonly togetherBytes?: number;
}

/** Levels from which the top one is taken together with the lanes, so that the quarters below it are separate tasks. */
const splitLevels = 4;
/**
 * Residues beyond this many bytes are taken prime by prime, so that one prime's stay in a shared cache from lanes to inverse;
 * below it all primes go together and the team meets less often. Half of a third-level cache of 32 MiB. Set by tuners/thresholds.ts.
 */
export const togetherBytes = 16 * 2 ** 20;
/** Tasks per thread of a phase over columns: enough to even out, few enough to cost nothing. */
const rangesPerThread = 4;

/** Shares of a product's time: transforms with what belongs to them, and the combination. */
export const transformShare = 0.78;
export const combineShare = 1 - transformShare;

/**
 * One product in progress: its geometry and the tasks of its three phases. Every thread of a team makes its own, the same.
 * `allTogether`: the area has room for both operands modulo all primes, and the second one's transforms are to be kept.
 */
export class ResidueProduct {
  readonly #worker: ResidueWorker;
  readonly #area: ResidueArea;
  #a: DecimalNumber;
  readonly #b: DecimalNumber;
  #outPtr: Ptr;
  readonly #shape: TransformShape;
  readonly #blocks: number;
  readonly #blockColumns: number;
  readonly #rangeColumns: number;
  readonly #strideBytes: number;
  readonly rangeCount: number;
  readonly isSquare: boolean;
  /** Whether all primes go through the transforms at the same time. */
  readonly together: boolean;

  constructor(
    worker: ResidueWorker,
    area: ResidueArea,
    a: DecimalNumber,
    b: DecimalNumber,
    outPtr: Ptr,
    threads: number,
    allTogether = false,
  ) {
    this.#worker = worker;
    this.#area = area;
    this.#a = a;
    this.#b = b;
    this.#outPtr = outPtr;
    assertProductBound(a.limbCount, b.limbCount);
    this.isSquare = a.ptr === b.ptr && a.limbCount === b.limbCount;
    this.#shape = transformShape(productCoefficients(a.limbCount, b.limbCount));
    this.#strideBytes = residueArrayBytes(this.#shape.coefficients);
    const arrays = this.isSquare ? primeCount : 2 * primeCount;
    const together =
      arrays * this.#strideBytes <= Math.min(worker.togetherBytes ?? togetherBytes, area.bytes - carryBytes);
    this.together = together || allTogether;
    const needed = carryBytes + (this.together ? arrays : primeCount + (this.isSquare ? 0 : 1)) * this.#strideBytes;
    if (needed > area.bytes) throw new KernelError(`expected an area of ${needed} bytes, got ${area.bytes}`);
    this.#blocks = this.#shape.levels >= splitLevels ? 4 : 1;
    this.#blockColumns = this.#shape.columns / this.#blocks;
    const wanted = threads === 1 ? 1 : threads * rangesPerThread;
    this.#rangeColumns = 4 * Math.ceil(this.#blockColumns / (4 * wanted));
    this.rangeCount = Math.ceil(this.#blockColumns / this.#rangeColumns);
  }

  get blockCount(): number {
    return this.#blocks;
  }

  /** Another first operand, no longer than the one before, with its own product. */
  nextFirst(a: DecimalNumber, outPtr: Ptr): void {
    this.#a = a;
    this.#outPtr = outPtr;
  }

  /** Lanes and top level of one range of columns of the first operand. */
  splitFirst(prime: number, range: number): void {
    this.#splitOperand(prime, range, this.#a, this.#firstPtr(prime));
  }

  splitSecond(prime: number, range: number): void {
    this.#splitOperand(prime, range, this.#b, this.#secondPtr(prime));
  }

  /** Both operands, or the one of a square. */
  split(prime: number, range: number): void {
    this.splitFirst(prime, range);
    if (!this.isSquare) this.splitSecond(prime, range);
  }

  /** Whether a prime's lanes may be made while the prime before it is transformed: they must not lie where that one's second operand is. */
  maySplitAhead(prime: number): boolean {
    const before = this.#secondPtr(prime - 1);
    return this.isSquare || (before !== this.#firstPtr(prime) && before !== this.#secondPtr(prime));
  }

  /** One block from lanes to lanes: what `forwardSecond` and `multiplyBlock` do. */
  transformBlock(prime: number, block: number): void {
    if (!this.isSquare) this.forwardSecond(prime, block);
    this.multiplyBlock(prime, block);
  }

  /** The forward transform of one block of the second operand, below the top level. */
  forwardSecond(prime: number, block: number): void {
    const { bytes, depth, levels } = this.#blockShape;
    const contextPtr = this.#worker.tables.contextPtrs[prime]!;
    const ptr = this.#secondPtr(prime) + block * bytes;
    this.#worker.instance.kernels.forwardNtt(contextPtr, ptr, bytes, depth, block, levels);
  }

  get #blockShape(): { readonly bytes: number; readonly depth: number; readonly levels: number } {
    const depth = this.#blocks > 1 ? 2 : 0;
    return { bytes: 16 * this.#blockColumns, depth, levels: this.#shape.levels - depth };
  }

  #splitOperand(prime: number, range: number, operand: DecimalNumber, outPtr: Ptr): void {
    const { kernels } = this.#worker.instance;
    const contextPtr = this.#worker.tables.contextPtrs[prime]!;
    const { columns } = this.#shape;
    const end = this.#rangeEnd(range);
    for (let from = range * this.#rangeColumns; from < end; from += chunkColumns) {
      const to = Math.min(end, from + chunkColumns);
      for (let block = 0; block < this.#blocks; block++) {
        const base = block * this.#blockColumns;
        this.#splitColumns(contextPtr, operand, outPtr, base + from, base + to);
      }
      if (this.#blocks > 1) kernels.forwardLevel(contextPtr, outPtr, 16 * columns, 0, 0, 16 * from, 16 * to);
    }
  }

  /** Columns of lanes, cut where the number of pieces of the operand that reach them changes. */
  #splitColumns(contextPtr: Ptr, operand: DecimalNumber, outPtr: Ptr, from: number, to: number): void {
    const { kernels } = this.#worker.instance;
    const { columns } = this.#shape;
    const coefficients = 4 * Math.ceil(operand.limbCount / 8);
    const fewer = Math.floor(coefficients / columns);
    const edge = Math.max(from, Math.min(to, coefficients - fewer * columns));
    if (edge > from) kernels.splitLanes(contextPtr, operand.ptr, outPtr, columns, from, edge, fewer + 1);
    if (to > edge) kernels.splitLanes(contextPtr, operand.ptr, outPtr, columns, edge, to, fewer);
  }

  /** Everything between the lanes of one block: forward, pointwise with the second operand's transform, inverse. */
  multiplyBlock(prime: number, block: number): void {
    const { kernels } = this.#worker.instance;
    const contextPtr = this.#worker.tables.contextPtrs[prime]!;
    const { bytes, depth, levels } = this.#blockShape;
    const aPtr = this.#firstPtr(prime) + block * bytes;
    const bPtr = this.isSquare ? aPtr : this.#secondPtr(prime) + block * bytes;
    kernels.forwardNtt(contextPtr, aPtr, bytes, depth, block, levels);
    const { leafLength } = this.#shape;
    kernels.multiplyPointwise(contextPtr, aPtr, bPtr, leafLength, depth, block, levels, this.#worker.scratchPtr);
    kernels.inverseNtt(contextPtr, aPtr, bytes, depth, block, levels);
  }

  /** Top level, lanes, residues to limbs for one range of columns of every block; leaves a record per block and piece. */
  combineRange(range: number): void {
    const { bytes } = this.#worker.instance;
    const states = this.#statesPtr;
    bytes.fill(0, states, states + 16 * 64);
    const end = this.#rangeEnd(range);
    for (let from = range * this.#rangeColumns; from < end; from += chunkColumns) {
      const to = Math.min(end, from + chunkColumns);
      this.#mergeChunk(from, to);
      for (let stream = 0; stream < 4 * this.#blocks; stream++) this.#combineChunk(stream, from, to);
    }
    for (let stream = 0; stream < 4 * this.#blocks; stream++) this.#recordCarry(stream, range);
  }

  #recordCarry(stream: number, range: number): void {
    const { limb, limbCount } = this.#blockLimbs(stream, range);
    if (limbCount === 0) return;
    const { kernels } = this.#worker.instance;
    const recordPtr = this.#recordPtr(stream, range);
    kernels.flushCarry(this.#statesPtr + 64 * stream, recordPtr);
    kernels.recordBlock(this.#outPtr + 4 * limb, limbCount, recordPtr);
  }

  #mergeChunk(from: number, to: number): void {
    const { kernels } = this.#worker.instance;
    const { columns, levels } = this.#shape;
    const chunkBytes = 4 * chunkColumns;
    for (let prime = 0; prime < primeCount; prime++) {
      const contextPtr = this.#worker.tables.contextPtrs[prime]!;
      const lanesPtr = this.#firstPtr(prime);
      if (this.#blocks > 1) kernels.inverseLevel(contextPtr, lanesPtr, 16 * columns, 0, 0, 16 * from, 16 * to);
      for (let block = 0; block < this.#blocks; block++) {
        const base = block * this.#blockColumns;
        const outPtr = this.#chunkPtr + (block * 4 * primeCount + prime) * chunkBytes;
        kernels.mergeLanes(contextPtr, lanesPtr, base + from, base + to, levels, outPtr, primeCount * chunkBytes);
      }
    }
  }

  /** Stream = piece + 4·block: one run of consecutive coefficients with a carry state of its own. */
  #combineChunk(stream: number, from: number, to: number): void {
    const start = this.#streamStart(stream);
    const last = Math.min(start + to, productCoefficients(this.#a.limbCount, this.#b.limbCount));
    if (last <= start + from) return;
    const chunkBytes = 4 * chunkColumns;
    this.#worker.instance.kernels.combineResidues(
      this.#worker.tables.crtPtr,
      this.#chunkPtr + stream * primeCount * chunkBytes,
      chunkBytes,
      last - start - from,
      this.#outPtr + 8 * (start + from),
      this.#statesPtr + 64 * stream,
    );
  }

  /** Adds what the blocks below carry into those of one range; every range by itself, when all are combined (assembly/carry.ts). */
  addCarries(range: number): void {
    for (let stream = 0; stream < 4 * this.#blocks; stream++) {
      const { limb, limbCount, isLast } = this.#blockLimbs(stream, range);
      if (limbCount === 0) continue;
      const { kernels, words } = this.#worker.instance;
      const more = kernels.addCarryIn(
        this.#area.ptr,
        this.#blockIndex(stream, range),
        this.#outPtr + 4 * limb,
        limbCount,
      );
      const record = this.#recordPtr(stream, range) >> 2;
      if (isLast) assertNothingCarried(more + words[record]! + words[record + 1]! + words[record + 2]!);
    }
  }

  /** Position of a block among all of the product, lowest limbs first. */
  #blockIndex(stream: number, range: number): number {
    return ((stream % 4) * this.#blocks + Math.floor(stream / 4)) * this.rangeCount + range;
  }

  #recordPtr(stream: number, range: number): Ptr {
    return this.#area.ptr + carryRecordBytes * this.#blockIndex(stream, range);
  }

  /** The limbs of one block: none beyond the product's end, a multiple of 8 otherwise. */
  #blockLimbs(
    stream: number,
    range: number,
  ): { readonly limb: number; readonly limbCount: number; readonly isLast: boolean } {
    const end = productCoefficients(this.#a.limbCount, this.#b.limbCount);
    const start = this.#streamStart(stream);
    const from = start + range * this.#rangeColumns;
    const to = Math.min(end, start + this.#rangeEnd(range));
    return { limb: 2 * from, limbCount: 2 * Math.max(0, to - from), isLast: to === end && to > from };
  }

  #streamStart(stream: number): number {
    return (stream % 4) * this.#shape.columns + Math.floor(stream / 4) * this.#blockColumns;
  }

  #rangeEnd(range: number): number {
    return Math.min(this.#blockColumns, (range + 1) * this.#rangeColumns);
  }

  get #chunkPtr(): Ptr {
    return this.#worker.scratchPtr + aligned(48 * maxLeafLength);
  }

  get #statesPtr(): Ptr {
    return this.#chunkPtr + 4 * 4 * primeCount * chunkColumns * 4;
  }

  #firstPtr(prime: number): Ptr {
    return this.#area.ptr + carryBytes + prime * this.#strideBytes;
  }

  /** Beside the first operand's arrays when all primes go together; in turn, the spare array and that of the last prime alternate until its turn comes. */
  #secondPtr(prime: number): Ptr {
    if (this.together) return this.#firstPtr(primeCount + prime);
    return this.#firstPtr(prime % 2 === 0 ? primeCount : primeCount - 1);
  }
}

/**
 * a·b at outPtr, by residues; called by every thread of the team with the same arguments.
 *
 * Restrictions: operands normalised, not zero, readable (zero) up to the next multiple of 8 limbs; out has room for
 * 2·productCoefficients limbs and may overlap an operand, but not the area. Cost: O(N log N) with two (square) or three transforms per prime.
 */
export function multiplyResidue(
  team: Team,
  worker: ResidueWorker,
  area: ResidueArea,
  a: DecimalNumber,
  b: DecimalNumber,
  outPtr: Ptr,
): DecimalNumber {
  const product = new ResidueProduct(worker, area, a, b, outPtr, team.threads);
  const { rangeCount } = product;
  if (product.together) multiplyTogether(team, product);
  else multiplyInTurn(team, product);
  team.run(rangeCount, (task) => {
    product.combineRange(task);
    team.advance(combineShare / rangeCount);
  });
  team.run(rangeCount, (task) => product.addCarries(task));
  return normalised(worker, outPtr, a.limbCount + b.limbCount);
}

/** All primes at once: two phases. */
function multiplyTogether(team: Team, product: ResidueProduct): void {
  const { rangeCount, blockCount } = product;
  team.run(primeCount * rangeCount, (task) => product.split(Math.floor(task / rangeCount), task % rangeCount));
  team.run(primeCount * blockCount, (task) => {
    product.transformBlock(Math.floor(task / blockCount), task % blockCount);
    team.advance(transformShare / (primeCount * blockCount));
  });
}

/** Prime by prime; the lanes of the next prime fill the end of the phase in which threads wait for each other's last block. */
function multiplyInTurn(team: Team, product: ResidueProduct): void {
  const { rangeCount, blockCount } = product;
  team.run(rangeCount, (range) => product.split(0, range));
  for (let prime = 0; prime < primeCount; prime++) {
    const next = prime + 1;
    const along = next < primeCount && product.maySplitAhead(next) ? rangeCount : 0;
    team.run(blockCount + along, (task) => {
      if (task < blockCount) {
        product.transformBlock(prime, task);
        team.advance(transformShare / (primeCount * blockCount));
      } else product.split(next, task - blockCount);
    });
    if (along === 0 && next < primeCount) team.run(rangeCount, (range) => product.split(next, range));
  }
}

/** A product of two numbers at ptr: at most one limb shorter than both together. */
export function normalised(worker: ResidueWorker, ptr: Ptr, mostLimbs: number): DecimalNumber {
  const top = worker.instance.words[(ptr >> 2) + mostLimbs - 1]!;
  return { ptr, limbCount: top === 0 ? mostLimbs - 1 : mostLimbs };
}
