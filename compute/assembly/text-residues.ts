import {
  accumulate,
  addLargest64,
  addMersenne61,
  ARRAY_BYTES,
  BLOCK,
  BLOCK_POWERS,
  horizontalSum,
  multiplyLargest64,
  multiplyMersenne61,
  storePieces,
} from './residues';
import { parseEight, strangeBytes } from './text';

// Residues of text modulo 2^61 − 1 and 2^64 − 59: groups of eight digits, parsed four at a time, and their dot products with powers of 10^8. Nothing of it is
// shared with what wrote the text.
//
// tablePtr: 10^(8·(255 − i)) for i < 256 modulo both, in the layout of residues.ts, then 10^2048 modulo both.
// Bound: 256 products of 27 and 22 bits stay below 2^57.

/** Constants in words: four times '0'; 10 twice; 255 twice; 100 and 1; 10^4 and 1. In locals, as in text.ts. */
const readConstants = memory.data<u32>([0x30303030, 0xa000a, 0xff00ff, 0x10064, 0x12710]);

const GROUP_RADIX: u64 = 100000000;
const BLOCK_DIGITS: usize = BLOCK << 3;

/** Writes the table (layout above). */
export function fillTextResidueTable(tablePtr: usize): void {
  let m: u64 = 1;
  let l: u64 = 1;
  for (let at = tablePtr + ARRAY_BYTES; at > tablePtr; ) {
    at -= 4;
    storePieces(at, m);
    storePieces(at + 3 * ARRAY_BYTES, l);
    m = multiplyMersenne61(m, GROUP_RADIX);
    l = multiplyLargest64(l, GROUP_RADIX);
  }
  store<u64>(tablePtr + BLOCK_POWERS, m);
  store<u64>(tablePtr + BLOCK_POWERS, l, 8);
}

/** Sixteen digits as values 0…9 to four lanes < 10^4, most significant first. */
// @ts-ignore: decorator
@inline
function groupsOfFour(digits: v128, ten: v128, lowBytes: v128, hundredAndOne: v128): v128 {
  const twos = v128.and(i16x8.add(i16x8.mul(digits, ten), i16x8.shr_u(digits, 8)), lowBytes);
  return i32x4.dot_i16x8_s(twos, hundredAndOne);
}

/**
 * acc ← acc·10^digits + the number that the text is, modulo both. accPtr: two residues. Returns false when there is any byte but a digit; what is at
 * accPtr then means nothing.
 */
export function appendTextResidues(tablePtr: usize, textPtr: usize, digits: usize, accPtr: usize): bool {
  let m = load<u64>(accPtr);
  let l = load<u64>(accPtr, 8);
  let strange: u64 = 0;
  // The first digits one by one, then groups, until whole blocks are left.
  for (let rest = digits % 8; rest; --rest) {
    const digit = <u64>load<u8>(textPtr++) - 48;
    strange |= u64(digit > 9);
    m = addMersenne61(multiplyMersenne61(m, 10), digit);
    l = addLargest64(multiplyLargest64(l, 10), digit);
  }
  for (let rest = (digits >> 3) % BLOCK; rest; --rest, textPtr += 8) {
    const group = <u64>parseEight(textPtr);
    strange |= strangeBytes(load<u64>(textPtr));
    m = addMersenne61(multiplyMersenne61(m, GROUP_RADIX), group);
    l = addLargest64(multiplyLargest64(l, GROUP_RADIX), group);
  }
  const mPower = load<u64>(tablePtr + BLOCK_POWERS);
  const lPower = load<u64>(tablePtr + BLOCK_POWERS, 8);
  const zeros = v128.load_splat<u32>(readConstants);
  const ten = v128.load_splat<u32>(readConstants, 4);
  const lowBytes = v128.load_splat<u32>(readConstants, 8);
  const hundredAndOne = v128.load_splat<u32>(readConstants, 12);
  const tenThousandAndOne = v128.load_splat<u32>(readConstants, 16);
  let largest = i8x16.splat(0);
  for (let blocks = digits / BLOCK_DIGITS; blocks; --blocks) {
    let m0 = i64x2.splat(0);
    let m1 = m0;
    let m2 = m0;
    let l0 = m0;
    let l1 = m0;
    let l2 = m0;
    for (let i: usize = 0; i < ARRAY_BYTES; i += 16) {
      const first = i8x16.sub(v128.load(textPtr), zeros);
      const second = i8x16.sub(v128.load(textPtr, 16), zeros);
      textPtr += 32;
      largest = i8x16.max_u(largest, i8x16.max_u(first, second));
      const fours = i16x8.narrow_i32x4_s(groupsOfFour(first, ten, lowBytes, hundredAndOne), groupsOfFour(second, ten, lowBytes, hundredAndOne));
      const groups = i32x4.dot_i16x8_s(fours, tenThousandAndOne);
      const weights = tablePtr + i;
      m0 = accumulate(m0, groups, v128.load(weights));
      m1 = accumulate(m1, groups, v128.load(weights, ARRAY_BYTES));
      m2 = accumulate(m2, groups, v128.load(weights, 2 * ARRAY_BYTES));
      l0 = accumulate(l0, groups, v128.load(weights, 3 * ARRAY_BYTES));
      l1 = accumulate(l1, groups, v128.load(weights, 4 * ARRAY_BYTES));
      l2 = accumulate(l2, groups, v128.load(weights, 5 * ARRAY_BYTES));
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
  return strange == 0 && !v128.any_true(i8x16.gt_u(largest, i8x16.splat(9)));
}
