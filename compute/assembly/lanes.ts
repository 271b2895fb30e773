// Limbs → four residues modulo x^L − c_j in the four lanes (the top radix-4 level of x^(4L) + 1), and back.
//
// A coefficient is two limbs, 10^18. Columns i … i+3 of the four pieces of the operand, i + t·L, go through the butterfly as vectors over i and are
// transposed, so that no later level ever crosses lanes.

import { P, RADIX, SCALES, SCALE_BYTES, TOP_IS, TOP_R, TOP_R_INVERSE, TOP_S } from './layout';
import { allBelow, mulShoup2p, reduceOnce, subLazy } from './field';

/** Four coefficients mod p in [0, 4p) from eight limbs. Bound: limb < 10^9 < 2p. */
// @ts-ignore: decorator
@inline
export function loadCoefficients(ptr: usize, radix: v128, radixQ: v128, p: v128): v128 {
  const x = v128.load(ptr);
  const y = v128.load(ptr, 16);
  const low = v128.shuffle<u32>(x, y, 0, 2, 4, 6);
  const high = v128.shuffle<u32>(x, y, 1, 3, 5, 7);
  assert(allBelow(low, i32x4.splat(1000000000)) && allBelow(high, i32x4.splat(1000000000)));
  return i32x4.add(low, mulShoup2p(high, radix, radixQ, p));
}

/** Stores four vectors over columns as four columns of lanes. */
// @ts-ignore: decorator
@inline
export function storeTransposed(ptr: usize, y0: v128, y1: v128, y2: v128, y3: v128): void {
  const a = v128.shuffle<u32>(y0, y1, 0, 4, 1, 5);
  const b = v128.shuffle<u32>(y2, y3, 0, 4, 1, 5);
  const c = v128.shuffle<u32>(y0, y1, 2, 6, 3, 7);
  const d = v128.shuffle<u32>(y2, y3, 2, 6, 3, 7);
  v128.store(ptr, v128.shuffle<u64>(a, b, 0, 2));
  v128.store(ptr, v128.shuffle<u64>(a, b, 1, 3), 16);
  v128.store(ptr, v128.shuffle<u64>(c, d, 0, 2), 32);
  v128.store(ptr, v128.shuffle<u64>(c, d, 1, 3), 48);
}

/**
 * Columns [from, to) of an operand into lanes, in [0, 4p). `pieces` (0…4) of the four pieces, `columns` coefficients each, are not zero there.
 * Restrictions: columns, from, to multiples of 4; limbs < 10^9, readable (zero) up to the next multiple of 8 past the operand's end.
 */
export function splitLanes(ctxPtr: usize, limbsPtr: usize, outPtr: usize, columns: usize, from: usize, to: usize, pieces: u32): void {
  const p = v128.load_splat<u32>(ctxPtr, P);
  const p2 = i32x4.shl(p, 1);
  const radix = v128.load_splat<u32>(ctxPtr, RADIX);
  const radixQ = v128.load_splat<u32>(ctxPtr, RADIX + 4);
  const r = v128.load_splat<u32>(ctxPtr, TOP_R);
  const rq = v128.load_splat<u32>(ctxPtr, TOP_R + 4);
  const s = v128.load_splat<u32>(ctxPtr, TOP_S);
  const sq = v128.load_splat<u32>(ctxPtr, TOP_S + 4);
  const is = v128.load_splat<u32>(ctxPtr, TOP_IS);
  const isq = v128.load_splat<u32>(ctxPtr, TOP_IS + 4);
  const piece = columns << 3;
  let at = limbsPtr + (from << 3);
  let out = outPtr + (from << 4);
  const end = outPtr + (to << 4);
  const zero = i32x4.splat(0);
  if (pieces <= 2) {
    for (; out < end; out += 64) {
      const a0 = pieces > 0 ? reduceOnce(loadCoefficients(at, radix, radixQ, p), p2) : zero;
      const a1 = pieces > 1 ? loadCoefficients(at + piece, radix, radixQ, p) : zero;
      const u1 = mulShoup2p(a1, s, sq, p);
      const u3 = mulShoup2p(a1, is, isq, p);
      storeTransposed(out, i32x4.add(a0, u1), subLazy(a0, u1, p2), i32x4.add(a0, u3), subLazy(a0, u3, p2));
      at += 32;
    }
    return;
  }
  for (; out < end; out += 64) {
    const a0 = reduceOnce(loadCoefficients(at, radix, radixQ, p), p2);
    const a1 = reduceOnce(loadCoefficients(at + piece, radix, radixQ, p), p2);
    const t2 = mulShoup2p(loadCoefficients(at + 2 * piece, radix, radixQ, p), r, rq, p);
    const t3 = pieces > 3 ? mulShoup2p(loadCoefficients(at + 3 * piece, radix, radixQ, p), r, rq, p) : zero;
    const b0 = reduceOnce(i32x4.add(a0, t2), p2);
    const u1 = mulShoup2p(i32x4.add(a1, t3), s, sq, p);
    const b2 = reduceOnce(subLazy(a0, t2, p2), p2);
    const u3 = mulShoup2p(subLazy(a1, t3, p2), is, isq, p);
    storeTransposed(out, i32x4.add(b0, u1), subLazy(b0, u1, p2), i32x4.add(b2, u3), subLazy(b2, u3, p2));
    at += 32;
  }
}

/**
 * Columns [from, to) of lanes back to coefficients mod p, unscaled, in [0, 2p): piece t goes to outPtr + t·pieceBytes.
 * Restrictions: from, to multiples of 4; lanes in [0, 2p); `levels` = levels of the transform below the lanes.
 */
export function mergeLanes(ctxPtr: usize, lanesPtr: usize, from: usize, to: usize, levels: u32, outPtr: usize, pieceBytes: usize): void {
  const p = v128.load_splat<u32>(ctxPtr, P);
  const p2 = i32x4.shl(p, 1);
  const r = v128.load_splat<u32>(ctxPtr, TOP_R_INVERSE);
  const rq = v128.load_splat<u32>(ctxPtr, TOP_R_INVERSE + 4);
  const scales = ctxPtr + <usize>levels * SCALE_BYTES;
  const scale = v128.load_splat<u32>(scales, SCALES);
  const scaleQ = v128.load_splat<u32>(scales, SCALES + 4);
  const s = v128.load_splat<u32>(scales, SCALES + 8);
  const sq = v128.load_splat<u32>(scales, SCALES + 12);
  const is = v128.load_splat<u32>(scales, SCALES + 16);
  const isq = v128.load_splat<u32>(scales, SCALES + 20);
  let at = lanesPtr + (from << 4);
  const end = lanesPtr + (to << 4);
  const out2 = pieceBytes << 1;
  const out3 = pieceBytes + out2;
  for (; at < end; at += 64) {
    const y0 = v128.load(at);
    const y1 = v128.load(at, 16);
    const y2 = v128.load(at, 32);
    const y3 = v128.load(at, 48);
    const e = v128.shuffle<u32>(y0, y1, 0, 4, 1, 5);
    const f = v128.shuffle<u32>(y2, y3, 0, 4, 1, 5);
    const g = v128.shuffle<u32>(y0, y1, 2, 6, 3, 7);
    const h = v128.shuffle<u32>(y2, y3, 2, 6, 3, 7);
    const c0 = v128.shuffle<u64>(e, f, 0, 2);
    const c1 = v128.shuffle<u64>(e, f, 1, 3);
    const c2 = v128.shuffle<u64>(g, h, 0, 2);
    const c3 = v128.shuffle<u64>(g, h, 1, 3);
    const b0 = mulShoup2p(i32x4.add(c0, c1), scale, scaleQ, p);
    const b1 = mulShoup2p(subLazy(c0, c1, p2), s, sq, p);
    const b2 = mulShoup2p(i32x4.add(c2, c3), scale, scaleQ, p);
    const b3 = mulShoup2p(subLazy(c2, c3, p2), is, isq, p);
    v128.store(outPtr, reduceOnce(i32x4.add(b0, b2), p2));
    v128.store(outPtr + pieceBytes, reduceOnce(i32x4.add(b1, b3), p2));
    v128.store(outPtr + out2, mulShoup2p(subLazy(b0, b2, p2), r, rq, p));
    v128.store(outPtr + out3, mulShoup2p(subLazy(b1, b3, p2), r, rq, p));
    outPtr += 16;
  }
}
