import type { KernelInstance, Ptr } from '../wasm/bridge.ts';

/**
 * A natural number in the shared memory: limbs of nine digits, least significant first, the highest not zero. The limbs from `limbCount` to the next
 * multiple of 8 are zero, because kernels read eight at a time. `ptr` is a multiple of 16.
 */
export interface DecimalNumber {
  readonly ptr: Ptr;
  readonly limbCount: number;
}

/** Limbs that a number of `limbCount` limbs occupies. */
export function paddedLimbs(limbCount: number): number {
  return 8 * Math.ceil(limbCount / 8);
}

/** The number as a BigInt; for tests and small numbers. */
export function readBigInt(instance: KernelInstance, number: DecimalNumber): bigint {
  const limbs = instance.words.subarray(number.ptr >> 2, (number.ptr >> 2) + number.limbCount);
  let text = '';
  for (const limb of limbs.toReversed()) text += String(limb).padStart(9, '0');
  return BigInt(text === '' ? '0' : text);
}

/** Writes limbs, least significant first, with their padding. */
export function writeLimbs(instance: KernelInstance, ptr: Ptr, limbs: ArrayLike<number>): DecimalNumber {
  const start = ptr >> 2;
  instance.words.set(limbs, start);
  instance.words.fill(0, start + limbs.length, start + paddedLimbs(limbs.length));
  return { ptr, limbCount: limbs.length };
}
