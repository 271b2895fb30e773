// Forward transform of x^len − c (per lane) down to x^h − c', in place, bit-reversed order, no permutation.
//
// A polynomial of `len` vectors lies in memory lowest coefficient first; lane j of every vector belongs to the residue of lane j.
// Node (depth, b) holds a polynomial modulo x^len − c. With r = √c and s = √r its four children are modulo
// x^(len/4) − s, + s, − i·s, + i·s, in this order.  Source: Bernstein, "Multidigit multiplication for mathematicians", §2; Harvey 2014.
// Invariant: coefficients enter and leave every level in [0, 4p); p < 2^30.

import { P, R_ENTRY, R_TABLE, S_ENTRY, S_TABLE, entriesBefore } from './layout';
import { allBelow, mulShoup2p, reduceOnce, subLazy } from './field';

/** Blocks up to this many bytes go level by level; larger ones go depth first, so that the lower levels find them in cache. */
const BREADTH_FIRST_BYTES: usize = 1 << 15;

/** One radix-4 step on vectors [ptr, ptr + bytes) of each quarter; quarters lie `quarter` bytes apart. */
// @ts-ignore: decorator
@inline
function radix4(ptr: usize, bytes: usize, quarter: usize, rPtr: usize, sPtr: usize, p: v128, p2: v128): void {
  const r = v128.load(rPtr);
  const rq = v128.load(rPtr, 16);
  const s = v128.load(sPtr);
  const sq = v128.load(sPtr, 16);
  const is = v128.load(sPtr, 32);
  const isq = v128.load(sPtr, 48);
  const end = ptr + bytes;
  const ptr1 = quarter;
  const ptr2 = quarter << 1;
  const ptr3 = ptr1 + ptr2;
  for (; ptr < end; ptr += 16) {
    const a0 = reduceOnce(v128.load(ptr), p2);
    const a1 = reduceOnce(v128.load(ptr + ptr1), p2);
    const t2 = mulShoup2p(v128.load(ptr + ptr2), r, rq, p);
    const t3 = mulShoup2p(v128.load(ptr + ptr3), r, rq, p);
    const b0 = reduceOnce(i32x4.add(a0, t2), p2);
    const u1 = mulShoup2p(i32x4.add(a1, t3), s, sq, p);
    const b2 = reduceOnce(subLazy(a0, t2, p2), p2);
    const u3 = mulShoup2p(subLazy(a1, t3, p2), is, isq, p);
    assert(allBelow(t2, p2) && allBelow(t3, p2) && allBelow(u1, p2) && allBelow(u3, p2));
    assert(allBelow(a0, p2) && allBelow(a1, p2) && allBelow(b0, p2) && allBelow(b2, p2));
    v128.store(ptr, i32x4.add(b0, u1));
    v128.store(ptr + ptr1, subLazy(b0, u1, p2));
    v128.store(ptr + ptr2, i32x4.add(b2, u3));
    v128.store(ptr + ptr3, subLazy(b2, u3, p2));
  }
}

// @ts-ignore: decorator
@inline
function radix2(ptr: usize, half: usize, rPtr: usize, p: v128, p2: v128): void {
  const r = v128.load(rPtr);
  const rq = v128.load(rPtr, 16);
  const end = ptr + half;
  for (; ptr < end; ptr += 16) {
    const a0 = reduceOnce(v128.load(ptr), p2);
    const t1 = mulShoup2p(v128.load(ptr + half), r, rq, p);
    v128.store(ptr, i32x4.add(a0, t1));
    v128.store(ptr + half, subLazy(a0, t1, p2));
  }
}

/** All `levels` levels below node (depth, b), level by level. `bytes` is the node's size. */
function breadthFirst(ctxPtr: usize, ptr: usize, bytes: usize, depth: u32, b: usize, levels: u32): void {
  const p = v128.load_splat<u32>(ctxPtr, P);
  const p2 = i32x4.shl(p, 1);
  const rTable = <usize>load<u32>(ctxPtr, R_TABLE);
  const sTable = <usize>load<u32>(ctxPtr, S_TABLE);
  const end = ptr + bytes;
  while (levels >= 2) {
    const first = entriesBefore(depth) + b;
    let rPtr = rTable + first * R_ENTRY;
    let sPtr = sTable + first * S_ENTRY;
    const quarter = bytes >> 2;
    for (let node = ptr; node < end; node += bytes) {
      radix4(node, quarter, quarter, rPtr, sPtr, p, p2);
      rPtr += R_ENTRY;
      sPtr += S_ENTRY;
    }
    bytes = quarter;
    b <<= 2;
    depth += 2;
    levels -= 2;
  }
  if (levels) {
    let rPtr = rTable + (entriesBefore(depth) + b) * R_ENTRY;
    for (let node = ptr; node < end; node += bytes) {
      radix2(node, bytes >> 1, rPtr, p, p2);
      rPtr += R_ENTRY;
    }
  }
}

/** The top radix-4 level of node (depth, b) alone, on bytes [from, to) of each quarter: columns are independent of each other. */
export function forwardLevel(ctxPtr: usize, ptr: usize, bytes: usize, depth: u32, b: usize, from: usize, to: usize): void {
  const p = v128.load_splat<u32>(ctxPtr, P);
  const first = entriesBefore(depth) + b;
  const rPtr = <usize>load<u32>(ctxPtr, R_TABLE) + first * R_ENTRY;
  const sPtr = <usize>load<u32>(ctxPtr, S_TABLE) + first * S_ENTRY;
  radix4(ptr + from, to - from, bytes >> 2, rPtr, sPtr, p, i32x4.shl(p, 1));
}

/**
 * All `levels` levels below node (depth, b). Restrictions: depth even; bytes a multiple of 16·2^levels; values in [0, 4p), before and after.
 * Cost: levels/2 Shoup products per coefficient.
 */
export function forwardNtt(ctxPtr: usize, ptr: usize, bytes: usize, depth: u32, b: usize, levels: u32): void {
  if (bytes <= BREADTH_FIRST_BYTES || levels < 4) {
    breadthFirst(ctxPtr, ptr, bytes, depth, b, levels);
    return;
  }
  const quarter = bytes >> 2;
  forwardLevel(ctxPtr, ptr, bytes, depth, b, 0, quarter);
  for (let child: usize = 0; child < 4; ++child) {
    forwardNtt(ctxPtr, ptr + child * quarter, quarter, depth + 2, (b << 2) + child, levels - 2);
  }
}
