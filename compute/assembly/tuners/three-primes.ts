// What three primes and nine digits a coefficient would need in the place of combine.ts: Garner's mixed radix, conversion to radix 10^9, carries. Built and
// run by tuners/radix.ts alone; made as combine.ts is, so that the two may be compared.
//
// crtPtr: 0 three primes, B, −B | 32 three pairs (w, quotient): p0^-1 mod p1, p0^-1 mod p2, p1^-1 mod p2 | 64 words of p0; p0p1 in radix 10^9
// | 80 the doubles 2^52, 2^84, 2^84 + 2^52, 10^-9.
// statePtr (48 bytes, zero before the lowest coefficient): digits 1 and 2 of the last group, carries of its limbs.

import { mulShoup2p, reduceOnce } from '../field';

const RADIX: i32 = 1000000000;

// @ts-ignore: decorator
@inline
function divideByRadix(acc: v128, two52: v128, two84: v128, both: v128, inverse: v128): v128 {
  const low = v128.shuffle<u32>(acc, two52, 0, 5, 2, 7);
  const high = v128.or(i64x2.shr_u(acc, 32), two84);
  const value = f64x2.add(f64x2.sub(high, both), low);
  return v128.xor(f64x2.add(f64x2.mul(value, inverse), two52), two52);
}

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

/** Scalar carries over four limbs; returns what leaves the top. */
function rippleGroup(outPtr: usize): i32 {
  let carry: i32 = 0;
  for (let i: usize = 0; i < 16; i += 4) {
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

function findMixedDigits(crtPtr: usize, residuesPtr: usize, primeBytes: usize, count: usize): void {
  const p0 = v128.load_splat<u32>(crtPtr);
  const p1 = v128.load_splat<u32>(crtPtr, 4);
  const p2 = v128.load_splat<u32>(crtPtr, 8);
  const end = residuesPtr + (count << 2);
  for (; residuesPtr < end; residuesPtr += 16) {
    let at = residuesPtr;
    const d0 = reduceOnce(v128.load(at), p0);
    v128.store(at, d0);
    at += primeBytes;
    const d1 = reduceOnce(garnerStep(v128.load(at), d0, crtPtr + 32, p1), p1);
    v128.store(at, d1);
    at += primeBytes;
    const x = garnerStep(v128.load(at), d0, crtPtr + 40, p2);
    v128.store(at, reduceOnce(garnerStep(x, d1, crtPtr + 48, p2), p2));
  }
}

function convertRadix(crtPtr: usize, digitsPtr: usize, primeBytes: usize, count: usize): void {
  const radix = v128.load_splat<u32>(crtPtr, 12);
  const two52 = v128.load_splat<u64>(crtPtr, 80);
  const two84 = v128.load_splat<u64>(crtPtr, 88);
  const both = v128.load_splat<u64>(crtPtr, 96);
  const inverse = v128.load_splat<u64>(crtPtr, 104);
  const end = digitsPtr + (count << 2);
  for (; digitsPtr < end; digitsPtr += 16) {
    const ptr1 = digitsPtr + primeBytes;
    const ptr2 = ptr1 + primeBytes;
    const d0 = v128.load(digitsPtr);
    const d1 = v128.load(ptr1);
    const d2 = v128.load(ptr2);
    let w = v128.load_splat<u32>(crtPtr, 64);
    let acc01 = i64x2.extmul_low_i32x4_u(d1, w);
    let acc23 = i64x2.extmul_high_i32x4_u(d1, w);
    w = v128.load_splat<u32>(crtPtr, 68);
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(d2, w));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(d2, w));
    acc01 = i64x2.add(acc01, i64x2.extend_low_i32x4_u(d0));
    acc23 = i64x2.add(acc23, i64x2.extend_high_i32x4_u(d0));
    let quotient01 = divideByRadix(acc01, two52, two84, both, inverse);
    let quotient23 = divideByRadix(acc23, two52, two84, both, inverse);
    v128.store(digitsPtr, remainderOf(acc01, acc23, quotient01, quotient23, radix));
    w = v128.load_splat<u32>(crtPtr, 72);
    acc01 = i64x2.add(i64x2.extmul_low_i32x4_u(d2, w), quotient01);
    acc23 = i64x2.add(i64x2.extmul_high_i32x4_u(d2, w), quotient23);
    quotient01 = divideByRadix(acc01, two52, two84, both, inverse);
    quotient23 = divideByRadix(acc23, two52, two84, both, inverse);
    v128.store(ptr1, remainderOf(acc01, acc23, quotient01, quotient23, radix));
    v128.store(ptr2, v128.shuffle<u32>(quotient01, quotient23, 0, 2, 4, 6));
  }
}

/** `count` coefficients from residues (prime k at residuesPtr + k·primeBytes, in [0, 2p)) to `count` limbs. Restrictions: as combineResidues; coefficients < ∏p. */
export function combineThree(crtPtr: usize, residuesPtr: usize, primeBytes: usize, count: usize, outPtr: usize, statePtr: usize): void {
  findMixedDigits(crtPtr, residuesPtr, primeBytes, count);
  convertRadix(crtPtr, residuesPtr, primeBytes, count);
  const radix = v128.load_splat<u32>(crtPtr, 12);
  let last1 = v128.load(statePtr);
  let last2 = v128.load(statePtr, 16);
  let lastCarry = v128.load(statePtr, 32);
  const end = residuesPtr + (count << 2);
  for (; residuesPtr < end; residuesPtr += 16) {
    const r1 = v128.load(residuesPtr + primeBytes);
    const r2 = v128.load(residuesPtr + 2 * primeBytes);
    let limbs = i32x4.add(
      i32x4.add(v128.load(residuesPtr), v128.shuffle<u32>(last1, r1, 3, 4, 5, 6)),
      v128.shuffle<u32>(last2, r2, 2, 3, 4, 5),
    );
    last1 = r1;
    last2 = r2;
    // In [−B, 1.8·B]: carries of −1, 0 and 1.
    const carry = i32x4.sub(i32x4.shr_s(limbs, 31), i32x4.ge_s(limbs, radix));
    limbs = i32x4.sub(limbs, i32x4.mul(carry, radix));
    limbs = i32x4.add(limbs, v128.shuffle<u32>(lastCarry, carry, 3, 4, 5, 6));
    lastCarry = carry;
    v128.store(outPtr, limbs);
    if (v128.any_true(i32x4.ge_u(limbs, radix))) {
      lastCarry = i32x4.replace_lane(lastCarry, 3, i32x4.extract_lane(lastCarry, 3) + rippleGroup(outPtr));
    }
    outPtr += 16;
  }
  v128.store(statePtr, last1);
  v128.store(statePtr, last2, 16);
  v128.store(statePtr, lastCarry, 32);
}
