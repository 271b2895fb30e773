// Residues modulo 2^61 − 1 and 2^64 − 59: of limbs and of products of prime powers (of text: text-residues.ts). They judge results, so they share nothing with the
// transforms: plain 64-bit arithmetic and dot products.
//
// tablePtr: B^i for i < 256 modulo both, in pieces of 22, 21 and 21 bits: six arrays of 256 words (6 KiB), then B^256 modulo both.
// Bound: 256 products of 30 and 22 bits stay below 2^60.

const RADIX: u64 = 1000000000;
export const BLOCK: usize = 256;
export const ARRAY_BYTES: usize = BLOCK << 2;
export const BLOCK_POWERS: usize = 6 * ARRAY_BYTES;
const MERSENNE_61: u64 = (1 << 61) - 1;
/** 2^64 − LARGEST_64_GAP is the largest prime below 2^64. */
const LARGEST_64_GAP: u64 = 59;
const LARGEST_64: u64 = 0 - LARGEST_64_GAP;

// @ts-ignore: decorator
@inline
function highWord(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const middle = a1 * b0 + ((a0 * b0) >> 32);
  const other = a0 * b1 + (middle & 0xffffffff);
  return a1 * b1 + (middle >> 32) + (other >> 32);
}

/** a·b mod 2^61 − 1. Restrictions: a, b < 2^61. */
export function multiplyMersenne61(a: u64, b: u64): u64 {
  const low = a * b;
  const sum = (low & MERSENNE_61) + ((highWord(a, b) << 3) | (low >> 61));
  return sum >= MERSENNE_61 ? sum - MERSENNE_61 : sum;
}

// @ts-ignore: decorator
@inline
export function addMersenne61(a: u64, b: u64): u64 {
  const sum = a + b;
  return sum >= MERSENNE_61 ? sum - MERSENNE_61 : sum;
}

/** a + b mod 2^64 − 59. Restrictions: a, b below it. */
// @ts-ignore: decorator
@inline
export function addLargest64(a: u64, b: u64): u64 {
  const sum = a + b;
  return sum < a || sum >= LARGEST_64 ? sum + LARGEST_64_GAP : sum;
}

/** a·b mod 2^64 − 59. Restrictions: a, b below it. */
export function multiplyLargest64(a: u64, b: u64): u64 {
  const low = a * b;
  const high = highWord(a, b);
  // 2^64 ≡ 59: what overflows 64 bits comes back as 59 times itself, twice.
  const back = high * LARGEST_64_GAP;
  const backHigh = highWord(high, LARGEST_64_GAP);
  let sum = low + back;
  const overflow = backHigh + u64(sum < low);
  const rest = overflow * LARGEST_64_GAP;
  sum += rest;
  if (sum < rest) sum += LARGEST_64_GAP;
  return sum >= LARGEST_64 ? sum - LARGEST_64 : sum;
}

/** Writes the table (layout above). */
export function fillResidueTable(tablePtr: usize): void {
  let m: u64 = 1;
  let l: u64 = 1;
  for (let i: usize = 0; i < BLOCK; ++i) {
    const at = tablePtr + (i << 2);
    storePieces(at, m);
    storePieces(at + 3 * ARRAY_BYTES, l);
    m = multiplyMersenne61(m, RADIX);
    l = multiplyLargest64(l, RADIX);
  }
  store<u64>(tablePtr + BLOCK_POWERS, m);
  store<u64>(tablePtr + BLOCK_POWERS, l, 8);
}

export function storePieces(at: usize, weight: u64): void {
  store<u32>(at, <u32>(weight & 0x3fffff));
  store<u32>(at + ARRAY_BYTES, <u32>((weight >> 22) & 0x1fffff));
  store<u32>(at + 2 * ARRAY_BYTES, <u32>(weight >> 43));
}

// @ts-ignore: decorator
@inline
export function horizontalSum(x: v128): u64 {
  return i64x2.extract_lane(x, 0) + i64x2.extract_lane(x, 1);
}

// @ts-ignore: decorator
@inline
export function accumulate(sum: v128, limbs: v128, weights: v128): v128 {
  return i64x2.add(sum, i64x2.add(i64x2.extmul_low_i32x4_u(limbs, weights), i64x2.extmul_high_i32x4_u(limbs, weights)));
}

/** acc ← acc·B^count + ∑ limb_i·B^i modulo both, limbs least significant first. accPtr: two residues. Restrictions: limbs < 2^30. */
export function appendLimbResidues(tablePtr: usize, limbsPtr: usize, count: usize, accPtr: usize): void {
  let m = load<u64>(accPtr);
  let l = load<u64>(accPtr, 8);
  let end = limbsPtr + (count << 2);
  // The highest limbs one by one, until whole blocks are left.
  for (let rest = count % BLOCK; rest; --rest) {
    end -= 4;
    const limb = <u64>load<u32>(end);
    m = addMersenne61(multiplyMersenne61(m, RADIX), limb);
    l = addLargest64(multiplyLargest64(l, RADIX), limb);
  }
  const mPower = load<u64>(tablePtr + BLOCK_POWERS);
  const lPower = load<u64>(tablePtr + BLOCK_POWERS, 8);
  while (end > limbsPtr) {
    end -= ARRAY_BYTES;
    let m0 = i64x2.splat(0);
    let m1 = m0;
    let m2 = m0;
    let l0 = m0;
    let l1 = m0;
    let l2 = m0;
    for (let i: usize = 0; i < ARRAY_BYTES; i += 16) {
      const limbs = v128.load(end + i);
      const weights = tablePtr + i;
      m0 = accumulate(m0, limbs, v128.load(weights));
      m1 = accumulate(m1, limbs, v128.load(weights, ARRAY_BYTES));
      m2 = accumulate(m2, limbs, v128.load(weights, 2 * ARRAY_BYTES));
      l0 = accumulate(l0, limbs, v128.load(weights, 3 * ARRAY_BYTES));
      l1 = accumulate(l1, limbs, v128.load(weights, 4 * ARRAY_BYTES));
      l2 = accumulate(l2, limbs, v128.load(weights, 5 * ARRAY_BYTES));
    }
    m = multiplyMersenne61(m, mPower);
    m = addMersenne61(m, horizontalSum(m0));
    m = addMersenne61(m, multiplyMersenne61(horizontalSum(m1), 1 << 22));
    m = addMersenne61(m, multiplyMersenne61(horizontalSum(m2), 1 << 43));
    l = multiplyLargest64(l, lPower);
    l = addLargest64(l, horizontalSum(l0));
    l = addLargest64(l, multiplyLargest64(horizontalSum(l1), 1 << 22));
    l = addLargest64(l, multiplyLargest64(horizontalSum(l2), 1 << 43));
  }
  store<u64>(accPtr, m);
  store<u64>(accPtr, l, 8);
}

/** acc ← acc·∏ p^e modulo both. pairsPtr: (p, e) as words; neighbours that share e are raised together. */
export function multiplyPowerResidues(pairsPtr: usize, count: usize, accPtr: usize): void {
  const end = pairsPtr + (count << 3);
  while (pairsPtr < end) {
    const exponent = load<u32>(pairsPtr, 4);
    let m: u64 = 1;
    let l: u64 = 1;
    for (; pairsPtr < end && load<u32>(pairsPtr, 4) == exponent; pairsPtr += 8) {
      const prime = <u64>load<u32>(pairsPtr);
      m = multiplyMersenne61(m, prime);
      l = multiplyLargest64(l, prime);
    }
    multiplyPower(accPtr, m, l, exponent);
  }
}

/** The same with pairs of 64-bit words. Restrictions: p < 2^61. */
export function multiplyLargePowerResidues(pairsPtr: usize, count: usize, accPtr: usize): void {
  const end = pairsPtr + (count << 4);
  while (pairsPtr < end) {
    const exponent = load<u64>(pairsPtr, 8);
    let m: u64 = 1;
    let l: u64 = 1;
    for (; pairsPtr < end && load<u64>(pairsPtr, 8) == exponent; pairsPtr += 16) {
      const prime = load<u64>(pairsPtr);
      assert(prime < MERSENNE_61);
      m = multiplyMersenne61(m, prime);
      l = multiplyLargest64(l, prime);
    }
    multiplyPower(accPtr, m, l, exponent);
  }
}

/** acc ← acc·(m, l)^exponent. */
function multiplyPower(accPtr: usize, m: u64, l: u64, exponent: u64): void {
  let mAcc = load<u64>(accPtr);
  let lAcc = load<u64>(accPtr, 8);
  for (let bits = exponent; bits; bits >>= 1) {
    if (bits & 1) {
      mAcc = multiplyMersenne61(mAcc, m);
      lAcc = multiplyLargest64(lAcc, l);
    }
    m = multiplyMersenne61(m, m);
    l = multiplyLargest64(l, l);
  }
  store<u64>(accPtr, mAcc);
  store<u64>(accPtr, lAcc, 8);
}

/** acc ← acc·other modulo both. */
export function multiplyResidues(accPtr: usize, otherPtr: usize): void {
  store<u64>(accPtr, multiplyMersenne61(load<u64>(accPtr), load<u64>(otherPtr)));
  store<u64>(accPtr, multiplyLargest64(load<u64>(accPtr, 8), load<u64>(otherPtr, 8)), 8);
}

/**
 * n! modulo both at accPtr, as its definition has it: no sieve, no exponents. About 2 ns per factor.
 * Restrictions: n < 2^15, so that four neighbours multiply to less than 2^60.
 */
export function multiplyUpTo(n: u32, accPtr: usize): void {
  let m: u64 = 1;
  let l: u64 = 1;
  let k: u64 = 1;
  for (; k + 3 <= n; k += 4) {
    const four = k * (k + 1) * ((k + 2) * (k + 3));
    m = multiplyMersenne61(m, four);
    l = multiplyLargest64(l, four);
  }
  for (; k <= n; ++k) {
    m = multiplyMersenne61(m, k);
    l = multiplyLargest64(l, k);
  }
  store<u64>(accPtr, m);
  store<u64>(accPtr, l, 8);
}
