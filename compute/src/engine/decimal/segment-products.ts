import { KernelError } from '../../errors.ts';
import { significantExponent } from '../../factorial/exponents.ts';
import { primeSegments } from '../../factorial/prime-sieve.ts';
import { type DecimalNumber, paddedLimbs } from '../../limbs/decimal-number.ts';
import { multiplyAlone } from '../../multiply/multiply.ts';
import type { Ptr } from '../../wasm/bridge.ts';
import { leafWords } from './arena.ts';
import type { ThreadState } from './thread-state.ts';

/** What products of listed words need of a thread. */
export type LeafState = Pick<ThreadState, 'instance' | 'scratch' | 'worker' | 'ownArea'>;

/**
 * One segment of the sieve, start to end on one thread: its primes, their exponents in n! / 10^z, the product of each plane's primes into the heap, and
 * ∏ p^e modulo the verification moduli by another way.
 */
export function multiplySegment(state: ThreadState, segment: number): void {
  const { arena, instance, control } = state;
  const low = segment * arena.span;
  const high = Math.min(arena.n, low + arena.span - 1);
  const primes: number[] = [];
  const exponents: number[] = [];
  let largest = 0;
  for (const chunk of primeSegments(low, high, { segmentBytes: arena.span / 2 })) {
    for (const prime of chunk) {
      const exponent = significantExponent(arena.n, prime);
      if (exponent === 0) continue;
      primes.push(prime);
      exponents.push(exponent);
      if (exponent > largest) largest = exponent;
    }
  }
  storePowerResidues(state, segment, primes, exponents);
  for (let plane = 0; plane < arena.planeCount; plane++) {
    const nodeIndex = (arena.nodesPtr >> 2) + 2 * (plane * arena.segmentCount + segment);
    const count = 2 ** plane > largest ? 0 : listPlane(state, primes, exponents, plane);
    if (count === 0) {
      instance.words[nodeIndex + 1] = 0;
      continue;
    }
    const product = multiplyList(state, count);
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
}

/** The plane's primes as words; their number. */
export function listPlane(state: LeafState, primes: number[], exponents: number[], plane: number): number {
  const { words } = state.instance;
  const start = state.scratch.wordsPtr >> 2;
  let count = 0;
  for (let index = 0; index < primes.length; index++) {
    words[start + count] = primes[index]!;
    count += (exponents[index]! >>> plane) & 1;
  }
  return count;
}

/** The product of the words listed: leaves the long way, then pairs of neighbours until one is left. */
export function multiplyList(state: LeafState, count: number): DecimalNumber {
  const { scratch, instance } = state;
  const numbers: DecimalNumber[] = [];
  const [from, to] = scratch.leafPtrs;
  let ptr = from;
  const leafCount = Math.ceil(count / leafWords);
  for (let leaf = 0; leaf < leafCount; leaf++) {
    const first = Math.floor((leaf * count) / leafCount);
    const size = Math.floor(((leaf + 1) * count) / leafCount) - first;
    const limbCount = instance.kernels.multiplyWords(scratch.wordsPtr + 4 * first, size, ptr, scratch.leafScratchPtr);
    numbers.push({ ptr, limbCount });
    ptr += 4 * paddedLimbs(limbCount);
  }
  return multiplyNeighbours(state, numbers, from, to);
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

function storePowerResidues(state: ThreadState, segment: number, primes: number[], exponents: number[]): void {
  const { arena, instance, scratch } = state;
  const start = scratch.wordsPtr >> 2;
  for (let index = 0; index < primes.length; index++) {
    instance.words[start + 2 * index] = primes[index]!;
    instance.words[start + 2 * index + 1] = exponents[index]!;
  }
  const accPtr = arena.residuesPtr + 16 * segment;
  instance.longs[accPtr >> 3] = 1n;
  instance.longs[(accPtr >> 3) + 1] = 1n;
  instance.kernels.multiplyPowerResidues(scratch.wordsPtr, primes.length, accPtr);
}
