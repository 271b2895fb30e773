// Products modulo x^h − c, four lanes at a time, where the transform stops. Stopping at h = 4…14 instead of 1 makes lengths smooth and saves
// the last levels; h products of 64 bits per coefficient cost about what the levels would.
//
// Scratch per leaf: A[h] = a (doubled when squaring), Z[2h] = (c·b, b), so that out_t = Σ_i A_i·Z[h + t − i] with no case for the wrap.
// Bound: h·p² < 2^64 and h·p²/2^32 < 4p for h ≤ 14, p < 0.2336·2^32.

import { LEAF_Q, LEAF_W, P, P_INVERSE, R_ENTRY, R_TABLE, S_ENTRY, S_TABLE, entriesBefore } from './layout';
import { allBelow, mulShoup2p, reduceMontgomery, reduceOnce } from './field';

// @ts-ignore: decorator
@inline
function finish(acc01: v128, acc23: v128, pInverse: v128, p: v128): v128 {
  // high word < 4p → [0, 2p) before the subtraction, [0, 3p) after it.
  const p2 = i32x4.shl(p, 1);
  const low = v128.shuffle<u32>(acc01, acc23, 0, 2, 4, 6);
  const high = reduceOnce(v128.shuffle<u32>(acc01, acc23, 1, 3, 5, 7), p2);
  const m = i32x4.mul(low, pInverse);
  const mp01 = i64x2.extmul_low_i32x4_u(m, p);
  const mp23 = i64x2.extmul_high_i32x4_u(m, p);
  const result = reduceOnce(i32x4.add(i32x4.sub(high, v128.shuffle<u32>(mp01, mp23, 1, 3, 5, 7)), p), p2);
  assert(allBelow(result, p2));
  return result;
}

// Leaves of 4…7 are unrolled: loops of two to seven rounds cost as much in mispredicted ends as in products.

/** All outputs of a product, unrolled for a constant h. */
// @ts-ignore: decorator
@inline
function productsOf(aPtr: usize, scratch: usize, z: usize, h: usize, p: v128, pInverse: v128): void {
  for (let t: usize = 0; t < h << 4; t += 16) {
    const zAt = z + t;
    let x = v128.load(scratch);
    let y = v128.load(zAt + (h << 4));
    let acc01 = i64x2.extmul_low_i32x4_u(x, y);
    let acc23 = i64x2.extmul_high_i32x4_u(x, y);
    x = v128.load(scratch, 16);
    y = v128.load(zAt + ((h - 1) << 4));
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
    x = v128.load(scratch, 32);
    y = v128.load(zAt + ((h - 2) << 4));
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
    x = v128.load(scratch, 48);
    y = v128.load(zAt + ((h - 3) << 4));
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
    if (h > 4) {
      x = v128.load(scratch, 64);
      y = v128.load(zAt + ((h - 4) << 4));
      acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
      acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
    }
    if (h > 5) {
      x = v128.load(scratch, 80);
      y = v128.load(zAt + ((h - 5) << 4));
      acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
      acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
    }
    if (h > 6) {
      x = v128.load(scratch, 96);
      y = v128.load(zAt + ((h - 6) << 4));
      acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
      acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
    }
    v128.store(aPtr + t, finish(acc01, acc23, pInverse, p));
  }
}

/** Whether factor i has a part in out_t of a square: as the smaller one of a pair, or as the middle. */
// @ts-ignore: decorator
@inline
function takesPart(h: usize, t: usize, i: usize): bool {
  return i < h && (i + i <= t || (i > t && i + i <= t + h));
}

/** Factor i of a square: doubled in a pair, which stands for both orders, as it is in the middle. */
// @ts-ignore: decorator
@inline
function squareFactor(scratch: usize, z: usize, h: usize, t: usize, i: usize): v128 {
  return i + i == t || i + i == t + h ? v128.load(z + ((h + i) << 4)) : v128.load(scratch + (i << 4));
}

// @ts-ignore: decorator
@inline
function squareOut(aPtr: usize, scratch: usize, z: usize, h: usize, t: usize, p: v128, pInverse: v128): void {
  if (t >= h) return;
  let acc01 = i64x2.splat(0);
  let acc23 = i64x2.splat(0);
  if (takesPart(h, t, 0)) {
    const x = squareFactor(scratch, z, h, t, 0);
    const y = v128.load(z + ((h + t - 0) << 4));
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
  }
  if (takesPart(h, t, 1)) {
    const x = squareFactor(scratch, z, h, t, 1);
    const y = v128.load(z + ((h + t - 1) << 4));
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
  }
  if (takesPart(h, t, 2)) {
    const x = squareFactor(scratch, z, h, t, 2);
    const y = v128.load(z + ((h + t - 2) << 4));
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
  }
  if (takesPart(h, t, 3)) {
    const x = squareFactor(scratch, z, h, t, 3);
    const y = v128.load(z + ((h + t - 3) << 4));
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
  }
  if (takesPart(h, t, 4)) {
    const x = squareFactor(scratch, z, h, t, 4);
    const y = v128.load(z + ((h + t - 4) << 4));
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
  }
  if (takesPart(h, t, 5)) {
    const x = squareFactor(scratch, z, h, t, 5);
    const y = v128.load(z + ((h + t - 5) << 4));
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
  }
  if (takesPart(h, t, 6)) {
    const x = squareFactor(scratch, z, h, t, 6);
    const y = v128.load(z + ((h + t - 6) << 4));
    acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
    acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
  }
  v128.store(aPtr + (t << 4), finish(acc01, acc23, pInverse, p));
}

// @ts-ignore: decorator
@inline
function squaresOf(aPtr: usize, scratch: usize, z: usize, h: usize, p: v128, pInverse: v128): void {
  squareOut(aPtr, scratch, z, h, 0, p, pInverse);
  squareOut(aPtr, scratch, z, h, 1, p, pInverse);
  squareOut(aPtr, scratch, z, h, 2, p, pInverse);
  squareOut(aPtr, scratch, z, h, 3, p, pInverse);
  squareOut(aPtr, scratch, z, h, 4, p, pInverse);
  squareOut(aPtr, scratch, z, h, 5, p, pInverse);
  squareOut(aPtr, scratch, z, h, 6, p, pInverse);
}

function multiplyLeaf(aPtr: usize, bPtr: usize, h: usize, c: v128, cq: v128, p: v128, pInverse: v128, scratch: usize): void {
  const p2 = i32x4.shl(p, 1);
  const size = h << 4;
  const z = scratch + size;
  for (let i: usize = 0; i < size; i += 16) {
    v128.store(scratch + i, reduceOnce(reduceOnce(v128.load(aPtr + i), p2), p));
    const b = reduceOnce(reduceOnce(v128.load(bPtr + i), p2), p);
    v128.store(z + size + i, b);
    v128.store(z + i, reduceOnce(mulShoup2p(b, c, cq, p), p));
  }
  if (h == 4) return productsOf(aPtr, scratch, z, 4, p, pInverse);
  if (h == 5) return productsOf(aPtr, scratch, z, 5, p, pInverse);
  if (h == 6) return productsOf(aPtr, scratch, z, 6, p, pInverse);
  if (h == 7) return productsOf(aPtr, scratch, z, 7, p, pInverse);
  for (let t: usize = 0; t < size; t += 16) {
    let acc01 = i64x2.splat(0);
    let acc23 = i64x2.splat(0);
    let zAt = z + size + t;
    for (let i: usize = 0; i < size; i += 16) {
      const x = v128.load(scratch + i);
      const y = v128.load(zAt);
      acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
      acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
      zAt -= 16;
    }
    v128.store(aPtr + t, finish(acc01, acc23, pInverse, p));
  }
}

function squareLeaf(aPtr: usize, h: usize, c: v128, cq: v128, p: v128, pInverse: v128, scratch: usize): void {
  const p2 = i32x4.shl(p, 1);
  const size = h << 4;
  const z = scratch + size;
  for (let i: usize = 0; i < size; i += 16) {
    const a = reduceOnce(reduceOnce(v128.load(aPtr + i), p2), p);
    v128.store(scratch + i, i32x4.shl(a, 1));
    v128.store(z + size + i, a);
    v128.store(z + i, reduceOnce(mulShoup2p(a, c, cq, p), p));
  }
  if (h == 4) return squaresOf(aPtr, scratch, z, 4, p, pInverse);
  if (h == 5) return squaresOf(aPtr, scratch, z, 5, p, pInverse);
  if (h == 6) return squaresOf(aPtr, scratch, z, 6, p, pInverse);
  if (h == 7) return squaresOf(aPtr, scratch, z, 7, p, pInverse);
  for (let t: usize = 0; t < size; t += 16) {
    let acc01 = i64x2.splat(0);
    let acc23 = i64x2.splat(0);
    // Pairs i < j with i + j = t, then with i + j = t + h; a pair stands for both orders.
    let i: usize = 0;
    let zAt = z + size + t;
    for (; i + i < t; i += 16) {
      const x = v128.load(scratch + i);
      const y = v128.load(zAt);
      acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
      acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
      zAt -= 16;
    }
    if (i + i == t) {
      const x = v128.load(zAt);
      acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, x));
      acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, x));
    }
    const wrapped = t + size;
    i = t + 16;
    zAt = z + size - 16;
    for (; i + i < wrapped; i += 16) {
      const x = v128.load(scratch + i);
      const y = v128.load(zAt);
      acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
      acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
      zAt -= 16;
    }
    if (i + i == wrapped) {
      const x = v128.load(zAt + size);
      const y = v128.load(zAt);
      acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, y));
      acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, y));
    }
    v128.store(aPtr + t, finish(acc01, acc23, pInverse, p));
  }
}

// @ts-ignore: decorator
@inline
function leaf(aPtr: usize, bPtr: usize, h: usize, c: v128, cq: v128, p: v128, pInverse: v128, scratch: usize): void {
  if (aPtr == bPtr) squareLeaf(aPtr, h, c, cq, p, pInverse, scratch);
  else multiplyLeaf(aPtr, bPtr, h, c, cq, p, pInverse, scratch);
}

/**
 * a ← a·b·2^-32 leaf by leaf below node (depth, b), `levels` levels down; bPtr = aPtr squares.
 * Restrictions: operands in [0, 4p); result in [0, 2p); h in 4…14; scratchPtr: 3·h vectors; b's block is not changed.
 */
export function multiplyPointwise(
  ctxPtr: usize,
  aPtr: usize,
  bPtr: usize,
  h: usize,
  depth: u32,
  block: usize,
  levels: u32,
  scratchPtr: usize,
): void {
  const p = v128.load_splat<u32>(ctxPtr, P);
  const pInverse = v128.load_splat<u32>(ctxPtr, P_INVERSE);
  const size = h << 4;
  const minusOne = i32x4.splat(-1);
  if (levels >= 2 && !((depth + levels) & 1)) {
    const first = entriesBefore(depth + levels - 2) + (block << (levels - 2));
    let sPtr = <usize>load<u32>(ctxPtr, S_TABLE) + first * S_ENTRY;
    const end = aPtr + (size << levels);
    let offset = bPtr - aPtr;
    for (; aPtr < end; aPtr += size << 2) {
      const s = v128.load(sPtr);
      const sq = v128.load(sPtr, 16);
      const is = v128.load(sPtr, 32);
      const isq = v128.load(sPtr, 48);
      // −c has quotient floor((p − c)·2^32/p) = 2^32 − 1 − q, since c·2^32/p is no integer.
      leaf(aPtr, aPtr + offset, h, s, sq, p, pInverse, scratchPtr);
      leaf(aPtr + size, aPtr + size + offset, h, i32x4.sub(p, s), v128.xor(sq, minusOne), p, pInverse, scratchPtr);
      leaf(aPtr + 2 * size, aPtr + 2 * size + offset, h, is, isq, p, pInverse, scratchPtr);
      leaf(aPtr + 3 * size, aPtr + 3 * size + offset, h, i32x4.sub(p, is), v128.xor(isq, minusOne), p, pInverse, scratchPtr);
      sPtr += S_ENTRY;
    }
  } else if (levels) {
    const first = entriesBefore(depth + levels - 1) + (block << (levels - 1));
    let rPtr = <usize>load<u32>(ctxPtr, R_TABLE) + first * R_ENTRY;
    const end = aPtr + (size << levels);
    let offset = bPtr - aPtr;
    for (; aPtr < end; aPtr += size << 1) {
      const r = v128.load(rPtr);
      const rq = v128.load(rPtr, 16);
      leaf(aPtr, aPtr + offset, h, r, rq, p, pInverse, scratchPtr);
      leaf(aPtr + size, aPtr + size + offset, h, i32x4.sub(p, r), v128.xor(rq, minusOne), p, pInverse, scratchPtr);
      rPtr += R_ENTRY;
    }
  } else {
    leaf(aPtr, bPtr, h, v128.load(ctxPtr, LEAF_W), v128.load(ctxPtr, LEAF_Q), p, pInverse, scratchPtr);
  }
}
