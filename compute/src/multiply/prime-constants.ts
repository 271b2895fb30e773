import type { KernelInstance, Ptr } from '../wasm/bridge.ts';
import { log2Order, powerMod, transformPrimes } from './primes.ts';

/** Limb radix: nine digits a limb, two limbs a coefficient. */
export const limbRadix = 1_000_000_000;
export const digitsPerLimb = 9;

/**
 * Most coefficients of the shorter operand of a product: each coefficient of the product is a sum of so many products of two below B^2, which must stay
 * below the product of all primes to be found again.
 */
export const maxShorterCoefficients = Number(
  (transformPrimes.reduce((product, { p }) => product * BigInt(p), 1n) - 1n) / (BigInt(limbRadix) ** 2n - 1n) ** 2n,
);

/** Most levels below the lanes: their constants need roots of order 2^(levels + 3). */
export const maxLevels = log2Order - 3;

/** Bytes of one prime's constants, as laid out in assembly/layout.ts. */
export const primeContextBytes = 96 + 24 * (maxLevels + 1);
/** Bytes of the constants of assembly/combine.ts. */
export const crtBytes = 192;
/** Bytes in which `twiddleStarts` hands multipliers to the kernel. */
export const twiddleScratchBytes = 8 * 32;

const rEntryBytes = 32;
const sEntryBytes = 64;
/** Exponents of the four lanes, in eighths of the circle: x^L − c_j divides x^(4L) + 1. */
const laneEighths = [1, 5, 3, 7] as const;

/** Entries of all even depths up to and including `depth`. */
function entriesThrough(depth: number): number {
  return depth < 0 ? 0 : (4 ** (Math.floor(depth / 2) + 1) - 1) / 3;
}

/** Bytes of one prime's tables for transforms of up to `levels` levels. */
export function tableBytes(levels: number): { readonly r: number; readonly s: number } {
  return { r: rEntryBytes * entriesThrough(levels - 1), s: sEntryBytes * entriesThrough(levels - 2) };
}

/** w and floor(w·2^32/p) into two words. */
function storePair(words: Uint32Array, ptr: Ptr, w: bigint, p: bigint): void {
  words[ptr >> 2] = Number(w);
  words[(ptr >> 2) + 1] = Number((w << 32n) / p);
}

/** Roots of order 2^k, k = 0…log2Order, of each prime. */
const rootsOfOrder: readonly (readonly bigint[])[] = transformPrimes.map(({ p, root }) => {
  const roots = [BigInt(root)];
  while (roots.length <= log2Order) roots.unshift((roots[0]! * roots[0]!) % BigInt(p));
  return roots;
});

/** e^(2πi·numerator/2^log2Denominator) in the field. Restrictions: numerator small. */
function rootPower(primeIndex: number, numerator: number, log2Denominator: number): bigint {
  return rootsOfOrder[primeIndex]![log2Denominator]! ** BigInt(numerator) % BigInt(transformPrimes[primeIndex]!.p);
}

function inverseMod(x: bigint, p: bigint): bigint {
  return powerMod(x, p - 2n, p);
}

/** What `writePrimeContext` wrote for a prime, without addresses: the same in every memory. */
const contextImages = new Map<number, Uint32Array<ArrayBuffer>>();

/** Writes the constants of one prime to ctxPtr. The tables are filled by `fillTables`. */
export function writePrimeContext(
  instance: KernelInstance,
  primeIndex: number,
  ctxPtr: Ptr,
  rTable: Ptr,
  sTable: Ptr,
): void {
  let image = contextImages.get(primeIndex);
  if (image === undefined) {
    image = primeContextImage(primeIndex);
    contextImages.set(primeIndex, image);
  }
  instance.words.set(image, ctxPtr >> 2);
  instance.words[(ctxPtr + 80) >> 2] = rTable;
  instance.words[(ctxPtr + 84) >> 2] = sTable;
}

function primeContextImage(primeIndex: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(primeContextBytes / 4);
  const { p: prime } = transformPrimes[primeIndex]!;
  const p = BigInt(prime);
  words[0] = prime;
  words[1] = Number(inverseOfOdd(p));
  new Float64Array(words.buffer)[1] = 2 ** 32 / prime;
  storePair(words, 16, BigInt(limbRadix) % p, p);
  const r = rootPower(primeIndex, 1, 2);
  const s = rootPower(primeIndex, 1, 3);
  const is = rootPower(primeIndex, 3, 3);
  storePair(words, 24, r, p);
  storePair(words, 32, s, p);
  storePair(words, 40, is, p);
  for (const [lane, eighths] of laneEighths.entries()) {
    storeLane(words, 48, 16, lane, rootPower(primeIndex, eighths, 3), p);
  }
  storePair(words, 88, inverseMod(r, p), p);
  const [sInverse, isInverse, half] = [inverseMod(s, p), inverseMod(is, p), (p + 1n) / 2n];
  // 2^32 undoes the Montgomery reduction of the pointwise product, 1/4 the lanes, and each level takes another half.
  let scale = ((1n << 32n) * half * half) % p;
  for (let levels = 0; levels <= maxLevels; levels++) {
    const at = 96 + 24 * levels;
    storePair(words, at, scale, p);
    storePair(words, at + 8, (sInverse * scale) % p, p);
    storePair(words, at + 16, (isInverse * scale) % p, p);
    scale = (scale * half) % p;
  }
  return words;
}

/** One lane of a (w vector, quotient vector) pair that lies `quotientOffset` bytes apart. */
function storeLane(words: Uint32Array, ptr: Ptr, quotientOffset: number, lane: number, w: bigint, p: bigint): void {
  words[(ptr >> 2) + lane] = Number(w);
  words[((ptr + quotientOffset) >> 2) + lane] = Number((w << 32n) / p);
}

/** p^-1 mod 2^32 by Newton's iteration. */
function inverseOfOdd(p: bigint): bigint {
  let inverse = p;
  for (let bits = 3; bits < 32; bits *= 2) inverse = BigInt.asUintN(32, inverse * (2n - p * inverse));
  return inverse;
}

/** Fills one prime's tables at one even depth; `scratchPtr` has `twiddleScratchBytes`. Depths are independent of each other. */
export function fillTables(
  instance: KernelInstance,
  primeIndex: number,
  ctxPtr: Ptr,
  depth: number,
  withS: boolean,
  scratchPtr: Ptr,
): void {
  const { words, kernels } = instance;
  const p = BigInt(transformPrimes[primeIndex]!.p);
  const before = (2 ** depth - 1) / 3;
  const rPtr = words[(ctxPtr + 80) >> 2]! + rEntryBytes * before;
  const sPtr = words[(ctxPtr + 84) >> 2]! + sEntryBytes * before;
  for (const [lane, eighths] of laneEighths.entries()) {
    storeLane(words, rPtr, 16, lane, rootPower(primeIndex, eighths, depth + 4), p);
    if (!withS) continue;
    const s = rootPower(primeIndex, eighths, depth + 5);
    storeLane(words, sPtr, 16, lane, s, p);
    storeLane(words, sPtr + 32, 16, lane, (s * rootPower(primeIndex, 1, 2)) % p, p);
  }
  const multipliers = (log2First: number) => {
    for (let t = 0; t < depth; t++) {
      storePair(words, scratchPtr + 8 * t, rootPower(primeIndex, 1, log2First + t), p);
    }
  };
  multipliers(2);
  kernels.fillTwiddles(ctxPtr, rPtr, rEntryBytes, depth, scratchPtr);
  if (!withS) return;
  multipliers(3);
  kernels.fillTwiddles(ctxPtr, sPtr, sEntryBytes, depth, scratchPtr);
  kernels.fillTwiddles(ctxPtr, sPtr + 32, sEntryBytes, depth, scratchPtr);
}

let crtImage: Uint32Array<ArrayBuffer> | undefined;

/** Writes the constants of assembly/combine.ts. */
export function writeCrtConstants(instance: KernelInstance, crtPtr: Ptr): void {
  crtImage ??= crtConstants();
  instance.words.set(crtImage, crtPtr >> 2);
}

function crtConstants(): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(crtBytes / 4);
  words[20 >> 2] = limbRadix;
  words[24 >> 2] = 2 ** 32 - limbRadix;
  new Float64Array(words.buffer).set([2 ** 52, 2 ** 84, 2 ** 84 + 2 ** 52, 1e-9], 152 >> 3);
  const primes = transformPrimes.map(({ p }) => BigInt(p));
  let pairPtr = 32;
  let wordIndex = 112 >> 2;
  let product = 1n;
  for (const [k, p] of primes.entries()) {
    words[k] = Number(p);
    if (k > 0) {
      for (let rest = product, word = 0; word < k; word++, rest /= BigInt(limbRadix)) {
        words[wordIndex++] = Number(rest % BigInt(limbRadix));
      }
    }
    for (const smaller of primes.slice(0, k)) {
      storePair(words, pairPtr, inverseMod(smaller, p), p);
      pairPtr += 8;
    }
    product *= p;
  }
  return words;
}

/** Writes a constant of the field and its quotient: 8 bytes. */
export function storeConstant(instance: KernelInstance, primeIndex: number, ptr: Ptr, value: bigint): void {
  storePair(instance.words, ptr, value, BigInt(transformPrimes[primeIndex]!.p));
}

/** Writes the weights of assembly/fold.ts: root^from … root^(from + 3), times 2^32, and root^4 with its quotient. 32 bytes. */
export function storeWeights(instance: KernelInstance, primeIndex: number, ptr: Ptr, root: bigint, from: number): void {
  const p = BigInt(transformPrimes[primeIndex]!.p);
  for (let lane = 0; lane < 4; lane++) {
    const weight = powerMod(root, BigInt(from + lane), p);
    instance.words[(ptr >> 2) + lane] = Number((weight << 32n) % p);
  }
  storePair(instance.words, ptr + 16, powerMod(root, 4n, p), p);
}
