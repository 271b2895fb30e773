// Numbers too long for one transform: folded modulo x^M − z, M = 4·columns, weighted so that x^M − z becomes y^M + 1 (the transform's), and back.
//
// With z = −ψ^M and x = ψ·y: coefficient i of the folded polynomial times ψ^i. The same four pieces and lanes as lanes.ts from there on.
// weightsPtr: 0 ψ^i·2^32 of the next four coefficients | 16 ψ^4, its quotient.

import { P, P_INVERSE, RADIX, TOP_IS, TOP_R, TOP_S } from './layout';
import { loadCoefficients, storeTransposed } from './lanes';
import { allBelow, mulShoup2p, reduceMontgomery, reduceOnce, subLazy } from './field';

/**
 * acc_i ← acc_i·z + coefficient_i mod p (`first`: without acc), in [0, 4p). constantPtr: z, its quotient.
 * Restrictions: count a multiple of 4; limbs < 10^9; acc any words. Bound: 2p + 2p < 2^32.
 */
export function foldCoefficients(ctxPtr: usize, limbsPtr: usize, accPtr: usize, count: usize, constantPtr: usize, first: bool): void {
  const p = v128.load_splat<u32>(ctxPtr, P);
  const p2 = i32x4.shl(p, 1);
  const radix = v128.load_splat<u32>(ctxPtr, RADIX);
  const radixQ = v128.load_splat<u32>(ctxPtr, RADIX + 4);
  const end = accPtr + (count << 2);
  if (first) {
    for (; accPtr < end; accPtr += 16) {
      v128.store(accPtr, loadCoefficients(limbsPtr, radix, radixQ, p));
      limbsPtr += 32;
    }
    return;
  }
  const z = v128.load_splat<u32>(constantPtr);
  const zq = v128.load_splat<u32>(constantPtr, 4);
  for (; accPtr < end; accPtr += 16) {
    const coefficients = reduceOnce(loadCoefficients(limbsPtr, radix, radixQ, p), p2);
    v128.store(accPtr, i32x4.add(mulShoup2p(v128.load(accPtr), z, zq, p), coefficients));
    limbsPtr += 32;
  }
}

/**
 * x_i ← x_i·ψ^i, in [0, p); the weights move on by `count`. Restrictions: count a multiple of 4; x any words.
 * Bound: x·w < 2^32·p, so Montgomery's reduction lands in [0, 2p).
 */
export function weightResidues(ctxPtr: usize, ptr: usize, count: usize, weightsPtr: usize): void {
  const p = v128.load_splat<u32>(ctxPtr, P);
  const pInverse = v128.load_splat<u32>(ctxPtr, P_INVERSE);
  const step = v128.load_splat<u32>(weightsPtr, 16);
  const stepQ = v128.load_splat<u32>(weightsPtr, 20);
  let weight = v128.load(weightsPtr);
  const end = ptr + (count << 2);
  for (; ptr < end; ptr += 16) {
    const x = v128.load(ptr);
    const low = i64x2.extmul_low_i32x4_u(x, weight);
    const high = i64x2.extmul_high_i32x4_u(x, weight);
    v128.store(ptr, reduceOnce(reduceMontgomery(low, high, pInverse, p), p));
    weight = reduceOnce(mulShoup2p(weight, step, stepQ, p), p);
  }
  v128.store(weightsPtr, weight);
}

/**
 * `count` columns of four pieces of residues, pieceBytes apart, into lanes at outPtr, in [0, 4p): the top radix-4 level, as splitLanes.
 * Restrictions: count a multiple of 4; residues in [0, p).
 */
export function splitResidues(ctxPtr: usize, piecesPtr: usize, pieceBytes: usize, outPtr: usize, count: usize): void {
  const p = v128.load_splat<u32>(ctxPtr, P);
  const p2 = i32x4.shl(p, 1);
  const r = v128.load_splat<u32>(ctxPtr, TOP_R);
  const rq = v128.load_splat<u32>(ctxPtr, TOP_R + 4);
  const s = v128.load_splat<u32>(ctxPtr, TOP_S);
  const sq = v128.load_splat<u32>(ctxPtr, TOP_S + 4);
  const is = v128.load_splat<u32>(ctxPtr, TOP_IS);
  const isq = v128.load_splat<u32>(ctxPtr, TOP_IS + 4);
  const piece2 = pieceBytes << 1;
  const piece3 = piece2 + pieceBytes;
  const end = outPtr + (count << 4);
  for (; outPtr < end; outPtr += 64) {
    const a0 = v128.load(piecesPtr);
    const a1 = v128.load(piecesPtr + pieceBytes);
    assert(allBelow(a0, p) && allBelow(a1, p));
    const t2 = mulShoup2p(v128.load(piecesPtr + piece2), r, rq, p);
    const t3 = mulShoup2p(v128.load(piecesPtr + piece3), r, rq, p);
    const b0 = reduceOnce(i32x4.add(a0, t2), p2);
    const u1 = mulShoup2p(i32x4.add(a1, t3), s, sq, p);
    const b2 = reduceOnce(subLazy(a0, t2, p2), p2);
    const u3 = mulShoup2p(subLazy(a1, t3, p2), is, isq, p);
    storeTransposed(outPtr, i32x4.add(b0, u1), subLazy(b0, u1, p2), i32x4.add(b2, u3), subLazy(b2, u3, p2));
    piecesPtr += 16;
  }
}

/** Products below p² that one 63-bit sum holds. */
const GROUP: usize = 8;

/**
 * out_i = ∑_j row_j·x_j,i mod p in [0, 2p): one row of the inverse Vandermonde matrix of the z_j. x_j lies strideBytes after x_(j−1); rowPtr: `parts`
 * words, each times 2^32. Restrictions: count a multiple of 4; x and row in [0, p). Bound: a sum < 8·p² leaves less than 2.9·p.
 */
export function interpolateResidues(
  ctxPtr: usize,
  inPtr: usize,
  strideBytes: usize,
  parts: usize,
  rowPtr: usize,
  outPtr: usize,
  count: usize,
): void {
  const p = v128.load_splat<u32>(ctxPtr, P);
  const p2 = i32x4.shl(p, 1);
  const pInverse = v128.load_splat<u32>(ctxPtr, P_INVERSE);
  const end = outPtr + (count << 2);
  const rowEnd = rowPtr + (parts << 2);
  for (; outPtr < end; outPtr += 16) {
    let sum = i32x4.splat(0);
    let at = inPtr;
    let row = rowPtr;
    while (row < rowEnd) {
      const groupEnd = min(rowEnd, row + (GROUP << 2));
      let acc01 = i64x2.splat(0);
      let acc23 = i64x2.splat(0);
      for (; row < groupEnd; row += 4) {
        const x = v128.load(at);
        const w = v128.load_splat<u32>(row);
        acc01 = i64x2.add(acc01, i64x2.extmul_low_i32x4_u(x, w));
        acc23 = i64x2.add(acc23, i64x2.extmul_high_i32x4_u(x, w));
        at += strideBytes;
      }
      const reduced = reduceOnce(reduceMontgomery(acc01, acc23, pInverse, p), p2);
      sum = reduceOnce(i32x4.add(sum, reduced), p2);
    }
    assert(allBelow(sum, p2));
    v128.store(outPtr, sum);
    inPtr += 16;
  }
}
