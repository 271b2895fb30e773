// Residues modulo five primes → limbs: Garner's mixed radix, conversion to radix 10^9, carries. Four coefficients at a time, no division.
//
// crtPtr: 0 five primes, B, −B | 32 ten pairs (w, quotient): for k = 1…4, j < k: p_j^-1 mod p_k | 112 words of p0; p0p1; p0p1p2; p0p1p2p3 in radix 10^9
// | 152 the doubles 2^52, 2^84, 2^84 + 2^52, 10^-9.
// statePtr (64 bytes, zero before the lowest coefficient): digits 2, 3, 4 of the last group, carries of its last four limbs.
//
// A coefficient V < 10^45 becomes digits r0…r4 in [−B/2, B/2] (r4 small, not negative); limb 2i is r0(i) + r2(i−1) + r4(i−2), limb 2i+1 is r1(i) + r3(i−1).
// One vector step brings every limb to [−2, B] with a carry in {−2…1}; what is still outside [0, B) (one limb in 10^8) goes through a scalar loop.
// Source: Garner 1959 (Knuth vol. 2, 4.3.2); the rest by the bounds written here.

import { allBelow, mulShoup2p, reduceOnce } from './field';

const RADIX: i32 = 1000000000;

/**
 * Round(acc/10^9) of two 64-bit lanes. Bound: acc < 2^62; the double's error moves the remainder by less than 10^9·2^-20.
 * The words of acc become the doubles 2^52 + low and 2^84 + high·2^32; adding 2^52 to the quotient leaves its integer in the mantissa.
 * The constants come from memory by way of the caller's locals: written as literals they would be built anew in every round of the loop.
 */
// @ts-ignore: decorator
@inline
function divideByRadix(acc: v128, two52: v128, two84: v128, both: v128, inverse: v128): v128 {
  const low = v128.shuffle<u32>(acc, two52, 0, 5, 2, 7);
  const high = v128.or(i64x2.shr_u(acc, 32), two84);
  const value = f64x2.add(f64x2.sub(high, both), low);
  return v128.xor(f64x2.add(f64x2.mul(value, inverse), two52), two52);
}

/** What four sums leave after their quotients, in [−B/2, B/2]: 32 bits suffice for it. */
// @ts-ignore: decorator
@inline
function remainderOf(acc01: v128, acc23: v128, quotient01: v128, quotient23: v128, radix: v128): v128 {
  const low = v128.shuffle<u32>(acc01, acc23, 0, 2, 4, 6);
  const q = v128.shuffle<u32>(quotient01, quotient23, 0, 2, 4, 6);
  return i32x4.sub(low, i32x4.mul(q, radix));
}

// @ts-ignore: decorator
@inline
function garnerStep(x: v128, digit: v128, pairPtr: usize, p: v128): v128 {
  const p2 = i32x4.shl(p, 1);
  return mulShoup2p(i32x4.add(x, i32x4.sub(p2, digit)), v128.load_splat<u32>(pairPtr), v128.load_splat<u32>(pairPtr, 4), p);
}

/** The carries of four limbs in (−1.5B, 1.5B): −2…1. */
// @ts-ignore: decorator
@inline
function carryOf(x: v128, radix: v128, minusRadix: v128): v128 {
  const below = i32x4.add(i32x4.shr_s(x, 31), i32x4.lt_s(x, minusRadix));
  return i32x4.sub(below, i32x4.ge_s(x, radix));
}

/** Scalar carries over eight limbs; returns what leaves the top. */
function rippleGroup(outPtr: usize): i32 {
  let carry: i32 = 0;
  for (let i: usize = 0; i < 32; i += 4) {
    let x = <i32>load<u32>(outPtr + i) + carry;
    carry = 0;
    if (x < 0) {
      x += RADIX;
      carry = -1;
    } else if (x >= RADIX) {
      x -= RADIX;
      carry = 1;
    }
    store<u32>(outPtr + i, x);
  }
  return carry;
}

/**
 * Garner's mixed-radix digits d0…d4 of `count` coefficients in the place of their residues. Apart from the conversion and the carries, so that the long
 * dependent chains of each overlap with those of the next coefficients.
 */
function findMixedDigits(crtPtr: usize, residuesPtr: usize, primeBytes: usize, count: usize): void {
  const p0 = v128.load_splat<u32>(crtPtr);
  const p1 = v128.load_splat<u32>(crtPtr, 4);
  const p2 = v128.load_splat<u32>(crtPtr, 8);
  const p3 = v128.load_splat<u32>(crtPtr, 12);
  const p4 = v128.load_splat<u32>(crtPtr, 16);
  const end = residuesPtr + (count << 2);
  for (; residuesPtr < end; residuesPtr += 16) {
    let at = residuesPtr;
    const d0 = reduceOnce(v128.load(at), p0);
    v128.store(at, d0);
    at += primeBytes;
    const d1 = reduceOnce(garnerStep(v128.load(at), d0, crtPtr + 32, p1), p1);
    v128.store(at, d1);
    at += primeBytes;
    let x = garnerStep(v128.load(at), d0, crtPtr + 40, p2);
    const d2 = reduceOnce(garnerStep(x, d1, crtPtr + 48, p2), p2);
    v128.store(at, d2);
    at += primeBytes;
    x = garnerStep(v128.load(at), d0, crtPtr + 56, p3);
    x = garnerStep(x, d1, crtPtr + 64, p3);
    const d3 = reduceOnce(garnerStep(x, d2, crtPtr + 72, p3), p3);
    v128.store(at, d3);
    at += primeBytes;
    x = garnerStep(v128.load(at), d0, crtPtr + 80, p4);
    x = garnerStep(x, d1, crtPtr + 88, p4);
    x = garnerStep(x, d2, crtPtr + 96, p4);
    const d4 = reduceOnce(garnerStep(x, d3, crtPtr + 104, p4), p4);
    v128.store(at, d4);
    assert(allBelow(d0, p0) && allBelow(d1, p1) && allBelow(d2, p2) && allBelow(d3, p3) && allBelow(d4, p4));
  }
}

/**
 * Mixed-radix digits to digits r0…r4 of radix B in their place: column t of the coefficient is ∑ d_k·(word t of p_0…p_{k−1}).
 * Bound: at most four products below 10^18 and one digit or quotient: < 2^62. The quotient joins a column last, to keep the chain of columns short.
 */
function convertRadix(crtPtr: usize, digitsPtr: usize, primeBytes: usize, count: usize): void {
  const radix = v128.load_splat<u32>(crtPtr, 20);
  const two52 = v128.load_splat<u64>(crtPtr, 152);
  const two84 = v128.load_splat<u64>(crtPtr, 160);
  const both = v128.load_splat<u64>(crtPtr, 168);
  const inverse = v128.load_splat<u64>(crtPtr, 176);
  const end = digitsPtr + (count << 2);
  for (; digitsPtr < end; digitsPtr += 16) {
    const ptr1 = digitsPtr + primeBytes;
    const ptr2 = ptr1 + primeBytes;
    const ptr3 = ptr2 + primeBytes;
    const ptr4 = ptr3 + primeBytes;
    const d0 = v128.load(digitsPtr);
    const d1 = v128.load(ptr1);
    const d2 = v128.load(ptr2);
    const d3 = v128.load(ptr3);
    const d4 = v128.load(ptr4);
    let w = v128.load_splat<u32>(crtPtr, 112);
    let acc01 = i64x2.extmul_low_i32x4_u(d1, w);
    let acc23 = i64x2.extmul_high_i32x4_u(d1, w);
    w = v128.load_splat<u32>(crtPtr, 116);
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(d2, w));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(d2, w));
    w = v128.load_splat<u32>(crtPtr, 124);
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(d3, w));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(d3, w));
    w = v128.load_splat<u32>(crtPtr, 136);
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(d4, w));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(d4, w));
    acc01 = i64x2.add(acc01, i64x2.extend_low_i32x4_u(d0));
    acc23 = i64x2.add(acc23, i64x2.extend_high_i32x4_u(d0));
    let quotient01 = divideByRadix(acc01, two52, two84, both, inverse);
    let quotient23 = divideByRadix(acc23, two52, two84, both, inverse);
    v128.store(digitsPtr, remainderOf(acc01, acc23, quotient01, quotient23, radix));
    w = v128.load_splat<u32>(crtPtr, 120);
    acc01 = i64x2.extmul_low_i32x4_u(d2, w);
    acc23 = i64x2.extmul_high_i32x4_u(d2, w);
    w = v128.load_splat<u32>(crtPtr, 128);
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(d3, w));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(d3, w));
    w = v128.load_splat<u32>(crtPtr, 140);
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(d4, w));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(d4, w));
    acc01 = i64x2.add(acc01, quotient01);
    acc23 = i64x2.add(acc23, quotient23);
    quotient01 = divideByRadix(acc01, two52, two84, both, inverse);
    quotient23 = divideByRadix(acc23, two52, two84, both, inverse);
    v128.store(ptr1, remainderOf(acc01, acc23, quotient01, quotient23, radix));
    w = v128.load_splat<u32>(crtPtr, 132);
    acc01 = i64x2.extmul_low_i32x4_u(d3, w);
    acc23 = i64x2.extmul_high_i32x4_u(d3, w);
    w = v128.load_splat<u32>(crtPtr, 144);
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(d4, w));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(d4, w));
    acc01 = i64x2.add(acc01, quotient01);
    acc23 = i64x2.add(acc23, quotient23);
    quotient01 = divideByRadix(acc01, two52, two84, both, inverse);
    quotient23 = divideByRadix(acc23, two52, two84, both, inverse);
    v128.store(ptr2, remainderOf(acc01, acc23, quotient01, quotient23, radix));
    w = v128.load_splat<u32>(crtPtr, 148);
    acc01 = i64x2.extmul_low_i32x4_u(d4, w);
    acc23 = i64x2.extmul_high_i32x4_u(d4, w);
    acc01 = i64x2.add(acc01, quotient01);
    acc23 = i64x2.add(acc23, quotient23);
    quotient01 = divideByRadix(acc01, two52, two84, both, inverse);
    quotient23 = divideByRadix(acc23, two52, two84, both, inverse);
    v128.store(ptr3, remainderOf(acc01, acc23, quotient01, quotient23, radix));
    const r4 = v128.shuffle<u32>(quotient01, quotient23, 0, 2, 4, 6);
    assert(allBelow(r4, i32x4.splat(1 << 29)));
    v128.store(ptr4, r4);
  }
}

/**
 * `count` coefficients from residues (prime k at residuesPtr + k·primeBytes, in [0, 2p)) to 2·count limbs; the residues are spent.
 * Restrictions: count a multiple of 4; every coefficient < 2^29·10^36 and < ∏p; primes in (5·10^8, 10^9).
 */
export function combineResidues(crtPtr: usize, residuesPtr: usize, primeBytes: usize, count: usize, outPtr: usize, statePtr: usize): void {
  findMixedDigits(crtPtr, residuesPtr, primeBytes, count);
  convertRadix(crtPtr, residuesPtr, primeBytes, count);
  const radix = v128.load_splat<u32>(crtPtr, 20);
  const minusRadix = v128.load_splat<u32>(crtPtr, 24);
  let last2 = v128.load(statePtr);
  let last3 = v128.load(statePtr, 16);
  let last4 = v128.load(statePtr, 32);
  let lastCarry = v128.load(statePtr, 48);
  const end = residuesPtr + (count << 2);
  for (; residuesPtr < end; residuesPtr += 16) {
    const r0 = v128.load(residuesPtr);
    const r1 = v128.load(residuesPtr + primeBytes);
    const r2 = v128.load(residuesPtr + 2 * primeBytes);
    const r3 = v128.load(residuesPtr + 3 * primeBytes);
    const r4 = v128.load(residuesPtr + 4 * primeBytes);
    const even = i32x4.add(
      i32x4.add(r0, v128.shuffle<u32>(last2, r2, 3, 4, 5, 6)),
      v128.shuffle<u32>(last4, r4, 2, 3, 4, 5),
    );
    const odd = i32x4.add(r1, v128.shuffle<u32>(last3, r3, 3, 4, 5, 6));
    last2 = r2;
    last3 = r3;
    last4 = r4;

    let low = v128.shuffle<u32>(even, odd, 0, 4, 1, 5);
    let high = v128.shuffle<u32>(even, odd, 2, 6, 3, 7);
    const carryLow = carryOf(low, radix, minusRadix);
    const carryHigh = carryOf(high, radix, minusRadix);
    low = i32x4.sub(low, i32x4.mul(carryLow, radix));
    high = i32x4.sub(high, i32x4.mul(carryHigh, radix));
    low = i32x4.add(low, v128.shuffle<u32>(lastCarry, carryLow, 3, 4, 5, 6));
    high = i32x4.add(high, v128.shuffle<u32>(carryLow, carryHigh, 3, 4, 5, 6));
    lastCarry = carryHigh;
    v128.store(outPtr, low);
    v128.store(outPtr, high, 16);
    if (v128.any_true(v128.or(i32x4.ge_u(low, radix), i32x4.ge_u(high, radix)))) {
      lastCarry = i32x4.replace_lane(lastCarry, 3, i32x4.extract_lane(lastCarry, 3) + rippleGroup(outPtr));
    }
    outPtr += 32;
  }
  v128.store(statePtr, last2);
  v128.store(statePtr, last3, 16);
  v128.store(statePtr, last4, 32);
  v128.store(statePtr, lastCarry, 48);
}

/** What is still to be added above the last limb written: three limbs at carryPtr, never negative because the whole is not. */
export function flushCarry(statePtr: usize, carryPtr: usize): void {
  let x0 = <i64>load<i32>(statePtr, 12) + <i64>load<i32>(statePtr, 40) + <i64>load<i32>(statePtr, 60);
  let x1 = <i64>load<i32>(statePtr, 28);
  let x2 = <i64>load<i32>(statePtr, 44);
  const radix = <i64>RADIX;
  while (x0 < 0) {
    x0 += radix;
    --x1;
  }
  while (x0 >= radix) {
    x0 -= radix;
    ++x1;
  }
  while (x1 < 0) {
    x1 += radix;
    --x2;
  }
  while (x1 >= radix) {
    x1 -= radix;
    ++x2;
  }
  assert(x2 >= 0 && x2 < radix);
  store<u32>(carryPtr, <u32>x0);
  store<u32>(carryPtr, <u32>x1, 4);
  store<u32>(carryPtr, <u32>x2, 8);
}

/**
 * Adds a number of `addCount` limbs to one of `count` limbs in place; returns the carry out (0 or 1). Stops where the carry ends.
 * Restrictions: addCount ≤ count.
 */
export function addLimbs(ptr: usize, count: usize, addPtr: usize, addCount: usize): u32 {
  const radix = <u32>RADIX;
  let carry: u32 = 0;
  let i: usize = 0;
  for (; i < addCount; ++i) {
    const x = load<u32>(ptr + (i << 2)) + load<u32>(addPtr + (i << 2)) + carry;
    carry = u32(x >= radix);
    store<u32>(ptr + (i << 2), carry ? x - radix : x);
  }
  for (; carry && i < count; ++i) {
    const x = load<u32>(ptr + (i << 2)) + 1;
    carry = u32(x == radix);
    store<u32>(ptr + (i << 2), carry ? 0 : x);
  }
  return carry;
}
