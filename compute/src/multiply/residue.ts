import { KernelError } from '../errors.ts';
import type { DecimalNumber } from '../limbs/decimal-number.ts';
import type { KernelInstance, Ptr } from '../wasm/bridge.ts';
import { assertNothingCarried, assertProductBound, productCoefficients } from './product-bound.ts';
import type { Team } from './team.ts';
import { maxLeafLength, type TransformShape, transformShape } from './transform-shape.ts';
import {
  aligned,
  carryBytes,
  chunkColumns,
  primeCount,
  productBytes,
  type ResidueArea,
  residueArrayBytes,
  scratchBytes,
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
 * One product in progress: its geometry and the tasks of its three phases. Every thread of a team makes its own, the same; one at a time, because the
 * kernels find it in the thread's scratch.
 * `allTogether`: the area has room for both operands modulo all primes, and the second one's transforms are to be kept.
 */
export class ResidueProduct {
  readonly #worker: ResidueWorker;
  readonly #area: ResidueArea;
  #a: DecimalNumber;
  readonly #b: DecimalNumber;
  readonly #shape: TransformShape;
  readonly #blocks: number;
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
    const blockColumns = this.#shape.columns / this.#blocks;
    const wanted = threads === 1 ? 1 : threads * rangesPerThread;
    this.#rangeColumns = 4 * Math.ceil(blockColumns / (4 * wanted));
    this.rangeCount = Math.ceil(blockColumns / this.#rangeColumns);
    this.#describe(outPtr);
  }

  get blockCount(): number {
    return this.#blocks;
  }

  /** Another first operand, no longer than the one before, with its own product. */
  nextFirst(a: DecimalNumber, outPtr: Ptr): void {
    this.#a = a;
    this.#describe(outPtr);
  }

  /** Lanes and top level of one range of columns of the first operand. */
  splitFirst(prime: number, range: number): void {
    this.#split(prime, range, this.#a, this.#firstPtr(prime));
  }

  splitSecond(prime: number, range: number): void {
    this.#split(prime, range, this.#b, this.#secondPtr(prime));
  }

  /** Both operands, or the one of a square. */
  split(prime: number, range: number): void {
    this.splitFirst(prime, range);
    if (!this.isSquare) this.splitSecond(prime, range);
  }

  #split(prime: number, range: number, { ptr, limbCount }: DecimalNumber, lanesPtr: Ptr): void {
    this.#worker.instance.kernels.splitRange(this.#productPtr, prime, range, ptr, limbCount, lanesPtr);
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
    this.#worker.instance.kernels.forwardBlock(this.#productPtr, prime, block, this.#secondPtr(prime));
  }

  /** Everything between the lanes of one block: forward, pointwise with the second operand's transform, inverse. */
  multiplyBlock(prime: number, block: number): void {
    const aPtr = this.#firstPtr(prime);
    const bPtr = this.isSquare ? aPtr : this.#secondPtr(prime);
    this.#worker.instance.kernels.multiplyBlock(this.#productPtr, prime, block, aPtr, bPtr);
  }

  /** Top level, lanes, residues to limbs for one range of columns of every block; leaves a record per block and piece. */
  combineRange(range: number): void {
    this.#worker.instance.kernels.combineRange(this.#productPtr, range);
  }

  /** Adds what the blocks below carry into those of one range; every range by itself, when all are combined (assembly/carry.ts). */
  addCarries(range: number): void {
    assertNothingCarried(this.#worker.instance.kernels.addCarriesRange(this.#productPtr, range));
  }

  /** Tells the kernels of this thread what they work on (assembly/product.ts). */
  #describe(outPtr: Ptr): void {
    const { instance, tables, scratchPtr } = this.#worker;
    const [first, second] = tables.contextPtrs;
    const { columns, levels, leafLength } = this.#shape;
    const chunkPtr = scratchPtr + aligned(48 * maxLeafLength);
    const statesPtr = chunkPtr + 4 * 4 * primeCount * chunkColumns * 4;
    const coefficients = productCoefficients(this.#a.limbCount, this.#b.limbCount);
    const contexts = [first!, second! - first!, tables.crtPtr];
    const residues = [this.#firstPtr(0), this.#strideBytes];
    const shape = [columns, this.#blocks, levels, leafLength, this.#rangeColumns, this.rangeCount, coefficients];
    const places = [scratchPtr, chunkPtr, statesPtr, this.#area.ptr, outPtr, chunkColumns];
    instance.words.set([...contexts, ...residues, ...shape, ...places], this.#productPtr >> 2);
  }

  /** At the end of this thread's scratch. */
  get #productPtr(): Ptr {
    return this.#worker.scratchPtr + scratchBytes - productBytes;
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
