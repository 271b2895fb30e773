import { digitsPerLimb } from '../../multiply/prime-constants.ts';
import {
  createMemory,
  instantiateKernels,
  type KernelInstance,
  reservedBytes,
  sharedModule,
} from '../../wasm/bridge.ts';

/** Up to this n a sieve, planes and tables cost more than they save. Set by tuners/short-product.ts. */
export const shortProductLimit = 1_900;

const listBytes = 4 * (shortProductLimit + 16);
const wordsPtr = reservedBytes;
const productPtr = wordsPtr + listBytes;
const scratchPtr = productPtr + listBytes;
/** What halving sets aside (assembly/schoolbook.ts): two limbs a word, and some for every level. */
const scratchBytes = 2 * listBytes + 4 * 16 * 32;
const textPtr = scratchPtr + scratchBytes;
const memoryBytes = textPtr + digitsPerLimb * (shortProductLimit + 16);

/** Of this thread, for as long as it lives: two or three pages. */
let instance: KernelInstance | undefined;

/**
 * The ASCII digits of n! / 10^z: neighbours packed into words, which are multiplied by halving. Not verified. 2 µs at n = 100, 25 µs at 1,000.
 * Restrictions: 0 ≤ n ≤ `shortProductLimit`. The bytes are valid until the next call.
 */
export function multiplyShort(n: number): Uint8Array {
  instance ??= instantiateKernels(sharedModule(), createMemory(memoryBytes));
  const { kernels, words, bytes } = instance;
  const wordCount = kernels.packFactors(n, wordsPtr);
  const limbCount = kernels.multiplyWords(wordsPtr, wordCount, productPtr, scratchPtr);
  kernels.limbsToText(productPtr, limbCount, textPtr);
  const top = words[(productPtr >> 2) + limbCount - 1]!;
  return bytes.subarray(textPtr + digitsPerLimb - String(top).length, textPtr + digitsPerLimb * limbCount);
}
