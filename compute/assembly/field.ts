// Arithmetic modulo one prime p < 2^30 on four 32-bit lanes. Ranges stand in the names: `2p` means [0, 2p), `4p` [0, 4p).

/** Product by a constant: x any u32; w in [0, p); wq = floor(w·2^32/p). Result ≡ x·w in [0, 2p). Source: Shoup; Harvey 2014, §2. */
// @ts-ignore: decorator
@inline
export function mulShoup2p(x: v128, w: v128, wq: v128, p: v128): v128 {
  const low = i64x2.extmul_low_i32x4_u(x, wq);
  const high = i64x2.extmul_high_i32x4_u(x, wq);
  const quotient = v128.shuffle<u32>(low, high, 1, 3, 5, 7);
  return i32x4.sub(i32x4.mul(x, w), i32x4.mul(quotient, p));
}

/** [0, 2·bound) → [0, bound), for bound ≤ 2^31: the wrapped difference is larger than x exactly when x < bound. */
// @ts-ignore: decorator
@inline
export function reduceOnce(x: v128, bound: v128): v128 {
  return i32x4.min_u(x, i32x4.sub(x, bound));
}

/** x − y + 2p for y in [0, 2p]. Restrictions: x + 2p < 2^32. */
// @ts-ignore: decorator
@inline
export function subLazy(x: v128, y: v128, p2: v128): v128 {
  return i32x4.add(x, i32x4.sub(p2, y));
}

/**
 * Montgomery reduction of four 64-bit sums held as (lanes 0 1, lanes 2 3): ≡ acc·2^-32 in [0, 2^31 + p).
 * Restrictions: acc < 2^63; pInverse = p^-1 mod 2^32.
 */
// @ts-ignore: decorator
@inline
export function reduceMontgomery(acc01: v128, acc23: v128, pInverse: v128, p: v128): v128 {
  const low = v128.shuffle<u32>(acc01, acc23, 0, 2, 4, 6);
  const high = v128.shuffle<u32>(acc01, acc23, 1, 3, 5, 7);
  const m = i32x4.mul(low, pInverse);
  const mp01 = i64x2.extmul_low_i32x4_u(m, p);
  const mp23 = i64x2.extmul_high_i32x4_u(m, p);
  return i32x4.add(i32x4.sub(high, v128.shuffle<u32>(mp01, mp23, 1, 3, 5, 7)), p);
}

/** floor(w·2^32/p) per lane. Restrictions: w in [0, p). The double quotient is off by at most one; the remainder says which way. */
// @ts-ignore: decorator
@inline
export function shoupQuotient(w: v128, p: v128, scale: f64): v128 {
  const factor = f64x2.splat(scale);
  const q01 = i32x4.trunc_sat_f64x2_u_zero(f64x2.mul(f64x2.convert_low_i32x4_u(w), factor));
  const wHigh = v128.shuffle<u32>(w, w, 2, 3, 2, 3);
  const q23 = i32x4.trunc_sat_f64x2_u_zero(f64x2.mul(f64x2.convert_low_i32x4_u(wHigh), factor));
  let q = v128.shuffle<u32>(q01, q23, 0, 1, 4, 5);
  const remainder = i32x4.neg(i32x4.mul(q, p));
  q = i32x4.add(q, i32x4.shr_s(remainder, 31));
  return i32x4.sub(q, i32x4.ge_s(remainder, p));
}

/** True when every lane is below the bound; for assertions of ranges. */
// @ts-ignore: decorator
@inline
export function allBelow(x: v128, bound: v128): bool {
  return v128.all_true<u32>(i32x4.lt_u(x, bound));
}
