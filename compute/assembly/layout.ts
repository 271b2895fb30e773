// Byte offsets of the per-prime constants that the host writes once (src/multiply/prime-constants.ts) and every kernel reads.
//
//   0 p | 4 p^-1 mod 2^32 | 8 2^32/p as f64 | 16 radix, its quotient | 24 r | 32 s | 40 i·s of the top node, each (w, floor(w·2^32/p))
//   48 leaf constants of the untransformed four lanes, w then quotient, 16 bytes each | 80 r-table | 84 s-table | 88 r^-1 of the top node
//   96 + 24·k: scale, s^-1·scale, (i·s)^-1·scale, each (w, quotient), where scale = 2^32/2^(k+2): what k levels and four lanes leave behind.

export const P: usize = 0;
export const P_INVERSE: usize = 4;
export const QUOTIENT_SCALE: usize = 8;
export const RADIX: usize = 16;
export const TOP_R: usize = 24;
export const TOP_S: usize = 32;
export const TOP_IS: usize = 40;
export const LEAF_W: usize = 48;
export const LEAF_Q: usize = 64;
export const R_TABLE: usize = 80;
export const S_TABLE: usize = 84;
export const TOP_R_INVERSE: usize = 88;
export const SCALES: usize = 96;
export const SCALE_BYTES: usize = 24;

/** Bytes of one entry of the r-table: w lanes, quotient lanes. */
export const R_ENTRY: usize = 32;
/** Bytes of one entry of the s-table: s and i·s, each w lanes, quotient lanes. */
export const S_ENTRY: usize = 64;

/** Entries before those of an even depth: (4^(depth/2) − 1)/3. */
// @ts-ignore: decorator
@inline
export function entriesBefore(depth: u32): usize {
  return ((<usize>1 << depth) - 1) / 3;
}
