// Inverse of forward.ts without the division by 2^levels: from modulo x^h − c' up to x^len − c, in place.
//
// The tables hold no inverses. The constants of all lanes and nodes of one depth are closed under inversion, because the exponents
// are odd multiples of one fraction of the circle: node b's inverses stand, lanes reversed, at the mirrored node b' = 2^depth − 1 − b, as
// r^-1 = −r', s^-1 = −(i·s)', (i·s)^-1 = −s'. The signs go into the order of the subtractions.
// Invariant: coefficients enter and leave every level in [0, 2p); p < 2^30.

import { P, R_ENTRY, R_TABLE, S_ENTRY, S_TABLE, entriesBefore } from './layout';
import { allBelow, mulShoup2p, reduceOnce, subLazy } from './field';

const BREADTH_FIRST_BYTES: usize = 1 << 15;

// @ts-ignore: decorator
@inline
function loadMirrored(ptr: usize): v128 {
  const x = v128.load(ptr);
  return v128.shuffle<u32>(x, x, 3, 2, 1, 0);
}

// @ts-ignore: decorator
@inline
function radix4(ptr: usize, bytes: usize, quarter: usize, rPtr: usize, sPtr: usize, p: v128, p2: v128): void {
  const r = loadMirrored(rPtr);
  const rq = loadMirrored(rPtr + 16);
  const s = loadMirrored(sPtr);
  const sq = loadMirrored(sPtr + 16);
  const is = loadMirrored(sPtr + 32);
  const isq = loadMirrored(sPtr + 48);
  const end = ptr + bytes;
  const ptr1 = quarter;
  const ptr2 = quarter << 1;
  const ptr3 = ptr1 + ptr2;
  for (; ptr < end; ptr += 16) {
    const c0 = v128.load(ptr);
    const c1 = v128.load(ptr + ptr1);
    const c2 = v128.load(ptr + ptr2);
    const c3 = v128.load(ptr + ptr3);
    assert(allBelow(c0, p2) && allBelow(c1, p2) && allBelow(c2, p2) && allBelow(c3, p2));
    const b0 = reduceOnce(i32x4.add(c0, c1), p2);
    const b1 = mulShoup2p(subLazy(c1, c0, p2), is, isq, p);
    const b2 = reduceOnce(i32x4.add(c2, c3), p2);
    const b3 = mulShoup2p(subLazy(c3, c2, p2), s, sq, p);
    v128.store(ptr, reduceOnce(i32x4.add(b0, b2), p2));
    v128.store(ptr + ptr1, reduceOnce(i32x4.add(b1, b3), p2));
    v128.store(ptr + ptr2, mulShoup2p(subLazy(b2, b0, p2), r, rq, p));
    v128.store(ptr + ptr3, mulShoup2p(subLazy(b3, b1, p2), r, rq, p));
  }
}

// @ts-ignore: decorator
@inline
function radix2(ptr: usize, half: usize, rPtr: usize, p: v128, p2: v128): void {
  const r = loadMirrored(rPtr);
  const rq = loadMirrored(rPtr + 16);
  const end = ptr + half;
  for (; ptr < end; ptr += 16) {
    const c0 = v128.load(ptr);
    const c1 = v128.load(ptr + half);
    v128.store(ptr, reduceOnce(i32x4.add(c0, c1), p2));
    v128.store(ptr + half, mulShoup2p(subLazy(c1, c0, p2), r, rq, p));
  }
}

/** All `levels` levels of node (depth, b), lowest first. `bytes` is the node's size. */
function breadthFirst(ctxPtr: usize, ptr: usize, bytes: usize, depth: u32, b: usize, levels: u32): void {
  const p = v128.load_splat<u32>(ctxPtr, P);
  const p2 = i32x4.shl(p, 1);
  const rTable = <usize>load<u32>(ctxPtr, R_TABLE);
  const sTable = <usize>load<u32>(ctxPtr, S_TABLE);
  const end = ptr + bytes;
  let down = levels & ~1;
  if (levels & 1) {
    const size = bytes >> down;
    const mirrored = (<usize>1 << (depth + down)) - 1 - (b << down);
    let rPtr = rTable + (entriesBefore(depth + down) + mirrored) * R_ENTRY;
    for (let node = ptr; node < end; node += size) {
      radix2(node, size >> 1, rPtr, p, p2);
      rPtr -= R_ENTRY;
    }
  }
  while (down) {
    down -= 2;
    const size = bytes >> down;
    const mirrored = entriesBefore(depth + down) + (<usize>1 << (depth + down)) - 1 - (b << down);
    let rPtr = rTable + mirrored * R_ENTRY;
    let sPtr = sTable + mirrored * S_ENTRY;
    for (let node = ptr; node < end; node += size) {
      radix4(node, size >> 2, size >> 2, rPtr, sPtr, p, p2);
      rPtr -= R_ENTRY;
      sPtr -= S_ENTRY;
    }
  }
}

/** The top radix-4 level of node (depth, b) alone, on bytes [from, to) of each quarter. */
export function inverseLevel(ctxPtr: usize, ptr: usize, bytes: usize, depth: u32, b: usize, from: usize, to: usize): void {
  const p = v128.load_splat<u32>(ctxPtr, P);
  const mirrored = entriesBefore(depth) + (<usize>1 << depth) - 1 - b;
  const rPtr = <usize>load<u32>(ctxPtr, R_TABLE) + mirrored * R_ENTRY;
  const sPtr = <usize>load<u32>(ctxPtr, S_TABLE) + mirrored * S_ENTRY;
  radix4(ptr + from, to - from, bytes >> 2, rPtr, sPtr, p, i32x4.shl(p, 1));
}

/** All `levels` levels of node (depth, b). Restrictions: as forwardNtt; values in [0, 2p), before and after. */
export function inverseNtt(ctxPtr: usize, ptr: usize, bytes: usize, depth: u32, b: usize, levels: u32): void {
  if (bytes <= BREADTH_FIRST_BYTES || levels < 4) {
    breadthFirst(ctxPtr, ptr, bytes, depth, b, levels);
    return;
  }
  const quarter = bytes >> 2;
  for (let child: usize = 0; child < 4; ++child) {
    inverseNtt(ctxPtr, ptr + child * quarter, quarter, depth + 2, (b << 2) + child, levels - 2);
  }
  inverseLevel(ctxPtr, ptr, bytes, depth, b, 0, quarter);
}
