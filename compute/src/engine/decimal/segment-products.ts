import { KernelError } from '../../errors.ts';
import { primesUpTo } from '../../factorial/prime-sieve.ts';
import { type DecimalNumber, paddedLimbs } from '../../limbs/decimal-number.ts';
import { multiplyAlone } from '../../multiply/multiply.ts';
import type { KernelInstance, Ptr } from '../../wasm/bridge.ts';
import { type DecimalArena, leafWords } from './arena.ts';
import type { ThreadState } from './thread-state.ts';

/** What products of listed words need of a thread. */
export type LeafState = Pick<ThreadState, 'instance' | 'scratch' | 'worker' | 'ownArea'>;

/** Writes the primes that the segments are sieved with, and a 0 after them. */
export function placeBasePrimes(instance: KernelInstance, arena: DecimalArena): void {
  const primes = primesUpTo(Math.floor(Math.sqrt(arena.n))).subarray(1);
  instance.words.set(primes, arena.basePrimesPtr >> 2);
  instance.words[(arena.basePrimesPtr >> 2) + primes.length] = 0;
}

/**
 * One segment of the sieve, start to end on one thread: its primes, their exponents in n! / 10^z, the product of each plane's primes into
 * the heap, and ∏ p^e modulo the verification moduli by another way.
 */
export function multiplySegment(state: ThreadState, segment: number): void {
  const { arena, instance, scratch } = state;
  const { kernels, words, longs } = instance;
  const low = segment * arena.span;
  const high = Math.min(arena.n, low + arena.span - 1);
  const baseCount = words.indexOf(0, arena.basePrimesPtr >> 2) - (arena.basePrimesPtr >> 2);
  const { basePrimesPtr, n, sourceNumber } = arena;
  const list = (last: number, top: number, without: number, accPtr: Ptr): number => {
    const { sievePtr, pairsPtr } = scratch;
    longs.fill(1n, accPtr >> 3, (accPtr >> 3) + 2);
    if (last < low) return 0;
    const found = kernels.listPrimePowers(basePrimesPtr, baseCount, low, last, top, without, sievePtr, pairsPtr);
    kernels.multiplyPowerResidues(pairsPtr, found, accPtr);
    return found;
  };
  if (sourceNumber > 0) list(Math.min(high, sourceNumber), sourceNumber, 0, arena.sourceResiduesPtr + 16 * segment);
  const count = list(high, n, sourceNumber, arena.residuesPtr + 16 * segment);
  const largest = largestExponent(state, count, sourceNumber > 0);
  for (let plane = 0; plane < arena.planeCount; plane++) {
    const nodeIndex = (arena.nodesPtr >> 2) + 2 * (plane * arena.segmentCount + segment);
    const wordCount = 2 ** plane > largest ? 0 : kernels.selectPlane(scratch.pairsPtr, count, plane, scratch.wordsPtr);
    words[nodeIndex + 1] = 0;
    if (wordCount > 0) storeNode(state, nodeIndex, multiplyList(state, wordCount));
  }
}

/** Exponents in n! fall as primes grow, but for that of 2, which lost what 5 took; those in n! / m! (`isQuotient`) do not. */
export function largestExponent(state: LeafState, count: number, isQuotient: boolean): number {
  const start = state.scratch.pairsPtr >> 2;
  let largest = 0;
  for (let index = 0; index < (isQuotient ? count : Math.min(count, 2)); index++) {
    largest = Math.max(largest, state.instance.words[start + 2 * index + 1]!);
  }
  return largest;
}

/** Moves a product from this thread's scratch to the heap. */
function storeNode(state: ThreadState, nodeIndex: number, product: DecimalNumber): void {
  const { arena, control, instance } = state;
  const bytes = 4 * paddedLimbs(product.limbCount);
  const offset = control.takeHeap(bytes);
  if (offset + bytes > arena.heapBytes) {
    throw new KernelError(`expected products of planes within ${arena.heapBytes} bytes, got ${offset + bytes}`);
  }
  const ptr = arena.heapPtrs[0] + offset;
  instance.bytes.copyWithin(ptr, product.ptr, product.ptr + bytes);
  instance.words[nodeIndex] = ptr;
  instance.words[nodeIndex + 1] = product.limbCount;
}

/** Multiplies entries [first, first + size) of a list into limbs at `outPtr`; returns how many limbs. */
export type MultiplyLeaf = (first: number, size: number, outPtr: Ptr) => number;

/** The product of `count` listed primes: leaves the long way, then pairs of neighbours until one is left. `multiplyLeaf`: words when absent. */
export function multiplyList(
  state: LeafState,
  count: number,
  multiplyLeaf: MultiplyLeaf = multiplyWordLeaf(state),
): DecimalNumber {
  const numbers: DecimalNumber[] = [];
  const [from, to] = state.scratch.leafPtrs;
  let ptr = from;
  const leafCount = Math.ceil(count / leafWords);
  for (let leaf = 0; leaf < leafCount; leaf++) {
    const first = Math.floor((leaf * count) / leafCount);
    const size = Math.floor(((leaf + 1) * count) / leafCount) - first;
    const limbCount = multiplyLeaf(first, size, ptr);
    numbers.push({ ptr, limbCount });
    ptr += 4 * paddedLimbs(limbCount);
  }
  return multiplyNeighbours(state, numbers, from, to);
}

function multiplyWordLeaf({ instance, scratch }: LeafState): MultiplyLeaf {
  return (first, size, outPtr) =>
    instance.kernels.multiplyWords(scratch.wordsPtr + 4 * first, size, outPtr, scratch.leafScratchPtr);
}

/**
 * The product of one number or more that lie at `from`: pairs of neighbours until one is left, to and fro between two places that hold them all
 * with their padding.
 */
export function multiplyNeighbours(
  state: Pick<LeafState, 'instance' | 'worker' | 'ownArea'>,
  factors: DecimalNumber[],
  from: Ptr,
  to: Ptr,
): DecimalNumber {
  let numbers = factors;
  let [there, here] = [to, from];
  while (numbers.length > 1) {
    let ptr = there;
    const products: DecimalNumber[] = [];
    for (let index = 0; index + 1 < numbers.length; index += 2) {
      const product = multiplyAlone(state.worker, state.ownArea, numbers[index]!, numbers[index + 1]!, ptr);
      products.push(product);
      ptr += 4 * paddedLimbs(numbers[index]!.limbCount + numbers[index + 1]!.limbCount);
    }
    if (numbers.length % 2 === 1) {
      const last = numbers.at(-1)!;
      state.instance.bytes.copyWithin(ptr, last.ptr, last.ptr + 4 * paddedLimbs(last.limbCount));
      products.push({ ptr, limbCount: last.limbCount });
    }
    numbers = products;
    [here, there] = [there, here];
  }
  return numbers[0]!;
}
