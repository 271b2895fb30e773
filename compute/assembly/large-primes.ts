// Primes beyond one limb: the siblings of sieve.ts and of the leaves in schoolbook.ts for numbers up to 2^53, in 64 bits throughout.

import { multiplySchoolbook } from './schoolbook';

const RADIX: u64 = 1000000000;
const ODD_ONES: u64 = 0x0101010101010101;

/** Legendre: ∑ ⌊n/p^k⌋. */
function exponentOf(n: u64, p: u64): u64 {
  let exponent: u64 = 0;
  for (let quotient = n / p; quotient; quotient /= p) exponent += quotient;
  return exponent;
}

// @ts-ignore: decorator
@inline
function storePair(at: usize, p: u64, exponent: u64): usize {
  store<u64>(at, p);
  store<u64>(at, exponent, 8);
  return at + 16;
}

/** Crosses out the odd multiples of the base primes among low + 1, low + 3, …, `count` of them, that are not themselves base primes. */
function crossOut(basePtr: usize, baseCount: usize, low: u64, count: usize, bytesPtr: usize): void {
  memory.fill(bytesPtr, 0, count);
  const last = low + <u64>(2 * count - 1);
  const end = bytesPtr + count;
  for (let i: usize = 0; i < baseCount; ++i) {
    const p = <u64>load<u32>(basePtr + (i << 2));
    // Bound: p < 2^32, so that the square fits.
    if (p * p > last) return;
    let multiple = p * p;
    if (multiple < low) {
      multiple = ((low + p - 1) / p) * p;
      if (!(multiple & 1)) multiple += p;
    }
    for (let at = bytesPtr + <usize>((multiple - low) >> 1); at < end; at += <usize>p) store<u8>(at, 1);
  }
}

/**
 * The primes in [low, high] with their exponents in n! / m! without its powers of ten as pairs of 64-bit words, as in sieve.ts; returns how many.
 * Restrictions: low even; high ≤ n < 2^53; m ≤ n; base primes: all odd ones up to √high, as 32-bit words; `sieveBytes` at bytesPtr, a multiple of 8.
 */
export function listLargePrimePowers(
  basePtr: usize,
  baseCount: usize,
  low: u64,
  high: u64,
  n: u64,
  m: u64,
  bytesPtr: usize,
  sieveBytes: usize,
  pairsPtr: usize,
): usize {
  let at = pairsPtr;
  if (low <= 2 && high >= 2) {
    const twos = exponentOf(n, 2) - exponentOf(m, 2);
    const fives = exponentOf(n, 5) - exponentOf(m, 5);
    if (twos > fives) at = storePair(at, 2, twos - fives);
    else if (fives > twos) at = storePair(at, 5, fives - twos);
  }
  for (let start = low; start < high; start += <u64>(2 * sieveBytes)) {
    const left = <usize>((high - start + 1) >> 1);
    const count = left < sieveBytes ? left : sieveBytes;
    crossOut(basePtr, baseCount, start, count, bytesPtr);
    if (!start) store<u8>(bytesPtr, 1);
    memory.fill(bytesPtr + count, 1, (sieveBytes - count) & 7);
    for (let group: usize = 0; group < count; group += 8) {
      let found = (load<u64>(bytesPtr + group) & ODD_ONES) ^ ODD_ONES;
      while (found) {
        const p = start + 1 + 2 * (<u64>group + (ctz(found) >> 3));
        const exponent = exponentOf(n, p) - exponentOf(m, p);
        if (p != 5 && exponent) at = storePair(at, p, exponent);
        found &= found - 1;
      }
    }
  }
  return (at - pairsPtr) >> 4;
}

/** The primes whose exponent has bit `plane`, as 64-bit words; returns how many. Restrictions: room for `count` + 1 words; plane < 64. */
export function selectLargePlane(pairsPtr: usize, count: usize, plane: u32, longsPtr: usize): usize {
  let at = longsPtr;
  const end = pairsPtr + (count << 4);
  for (; pairsPtr < end; pairsPtr += 16) {
    store<u64>(at, load<u64>(pairsPtr));
    at += <usize>((load<u64>(pairsPtr, 8) >> plane) & 1) << 3;
  }
  return (at - longsPtr) >> 3;
}

/**
 * A number times one of two limbs, high·10^9 + low, in place; returns its new limb count. Restrictions: room for two more limbs.
 * Bound: two products of limbs and a carry below 2·10^9 + 2 stay below 2·10^18 + 2^32 < 2^64.
 */
function multiplyTwoLimbsInPlace(ptr: usize, count: usize, low: u64, high: u64): usize {
  let carry: u64 = 0;
  let before: u64 = 0;
  const end = ptr + (count << 2);
  for (let at = ptr; at < end; at += 4) {
    const limb = <u64>load<u32>(at);
    const sum = limb * low + before * high + carry;
    carry = sum / RADIX;
    store<u32>(at, <u32>(sum - carry * RADIX));
    before = limb;
  }
  for (let rest = before * high + carry; rest; rest /= RADIX) {
    store<u32>(ptr + (count << 2), <u32>(rest % RADIX));
    ++count;
  }
  return count;
}

/** Factors that are multiplied one at a time before numbers are multiplied by numbers. */
const LONGS_AT_ONCE: usize = 8;

/**
 * ∏ of `count` 64-bit words at outPtr, by halving; returns its limb count. Limbs up to the next multiple of 8 are zeroed.
 * Restrictions: count ≥ 1; 1 ≤ words < 10^18; room for 2·count + 8 limbs at outPtr, and at scratchPtr for 4·count + 32·log2(count) limbs.
 */
export function multiplyLongs(longsPtr: usize, count: usize, outPtr: usize, scratchPtr: usize): usize {
  const limbs = multiplyHalves(longsPtr, count, outPtr, scratchPtr);
  for (let i = limbs; i & 7; ++i) store<u32>(outPtr + (i << 2), 0);
  return limbs;
}

function multiplyHalves(longsPtr: usize, count: usize, outPtr: usize, scratchPtr: usize): usize {
  if (count <= LONGS_AT_ONCE) {
    store<u32>(outPtr, 1);
    let limbs: usize = 1;
    for (let i: usize = 0; i < count; ++i) {
      const factor = load<u64>(longsPtr + (i << 3));
      assert(factor && factor < RADIX * RADIX);
      limbs = multiplyTwoLimbsInPlace(outPtr, limbs, factor % RADIX, factor / RADIX);
    }
    return limbs;
  }
  const half = count >> 1;
  const rest = count - half;
  const bPtr = scratchPtr + ((2 * half + 8) << 2);
  const aLimbs = multiplyHalves(longsPtr, half, scratchPtr, bPtr);
  const bLimbs = multiplyHalves(longsPtr + (half << 3), rest, bPtr, bPtr + ((2 * rest + 8) << 2));
  multiplySchoolbook(scratchPtr, aLimbs, bPtr, bLimbs, outPtr);
  const limbs = aLimbs + bLimbs;
  return load<u32>(outPtr + ((limbs - 1) << 2)) ? limbs : limbs - 1;
}
