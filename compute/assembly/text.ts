// Limbs ↔ ASCII digits, nine to a limb, eight of them at a time inside one 64-bit word.

const ZEROS: u64 = 0x3030303030303030;

/**
 * Constants of the vectors of limbsToText, a word each: literals would be built anew in every round of the loop. ceil(2^45 / 10^4); 10^4; ceil(2^22 / 625);
 * ceil(2^20 / 100); 100·2^16 - 1; ceil(2^10 / 10) twice; 10·2^8 - 1 twice; four times '0'.
 */
const writeConstants = memory.data<u32>([0xd1b71759, 10000, 6711, 10486, 0x0063ffff, 0x00670067, 0x09ff09ff, 0x30303030]);

/** x < 10^8 as eight ASCII digits in memory order. Divisions by 100 and 10 as multiplications: exact below 10^4 and below 100. */
// @ts-ignore: decorator
@inline
function eightDigits(x: u32): u64 {
  const high = x / 10000;
  const fours = <u64>high | (<u64>(x - high * 10000) << 32);
  const hundreds = ((fours * 10486) >> 20) & 0x0000007f0000007f;
  const twos = hundreds | ((fours - hundreds * 100) << 16);
  const tens = ((twos * 103) >> 10) & 0x000f000f000f000f;
  return (tens | ((twos - tens * 10) << 8)) + ZEROS;
}

/** One limb as nine ASCII digits. */
// @ts-ignore: decorator
@inline
function writeLimb(limb: u32, textPtr: usize): void {
  const first = limb / 100000000;
  store<u8>(textPtr, 48 + first);
  store<u64>(textPtr, eightDigits(limb - first * 100000000), 1);
}

/** Four numbers below 10^4 as their four ASCII digits, in memory order. */
// @ts-ignore: decorator
@inline
function fourDigits(x: v128, byHundred: v128, hundred: v128, byTen: v128, ten: v128, zeros: v128): v128 {
  // x/100 and x mod 100 beside each other, then of each its tens and its ones: y·2^k - q·(m·2^k - 1) is q + (y - m·q)·2^k.
  const hundreds = i32x4.shr_u(i32x4.mul(x, byHundred), 20);
  const twos = i32x4.sub(i32x4.shl(x, 16), i32x4.mul(hundreds, hundred));
  const tens = i16x8.shr_u(i16x8.mul(twos, byTen), 10);
  return i8x16.add(i16x8.sub(i16x8.shl(twos, 8), i16x8.mul(tens, ten)), zeros);
}

/** floor(x / 10^4) of four numbers below 2^32: x · ceil(2^45 / 10^4) / 2^45. */
// @ts-ignore: decorator
@inline
function tenThousandsOf(x: v128, inverse: v128): v128 {
  const low = i64x2.shr_u(i64x2.extmul_low_i32x4_u(x, inverse), 45);
  const high = i64x2.shr_u(i64x2.extmul_high_i32x4_u(x, inverse), 45);
  return i8x16.shuffle(low, high, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
}

/** `count` limbs as 9·count ASCII digits, most significant first: four limbs at a time. Restrictions: limbs < 10^9. */
export function limbsToText(limbsPtr: usize, count: usize, textPtr: usize): void {
  const fours = count & ~3;
  for (let index = count; index > fours; --index) {
    writeLimb(load<u32>(limbsPtr + ((index - 1) << 2)), textPtr);
    textPtr += 9;
  }
  const byTenThousand = v128.load_splat<u32>(writeConstants);
  const tenThousand = v128.load_splat<u32>(writeConstants, 4);
  const by625 = v128.load_splat<u32>(writeConstants, 8);
  const byHundred = v128.load_splat<u32>(writeConstants, 12);
  const hundred = v128.load_splat<u32>(writeConstants, 16);
  const byTen = v128.load_splat<u32>(writeConstants, 20);
  const ten = v128.load_splat<u32>(writeConstants, 24);
  const zeros = v128.load_splat<u32>(writeConstants, 28);
  for (let at = limbsPtr + (fours << 2); at > limbsPtr; textPtr += 36) {
    at -= 16;
    const limbs = v128.load(at);
    const high = tenThousandsOf(limbs, byTenThousand);
    // floor(high / 10^4) by 16 · 625, below 10^5.
    const first = i32x4.shr_u(i32x4.mul(i32x4.shr_u(high, 4), by625), 22);
    const upper = fourDigits(i32x4.sub(high, i32x4.mul(first, tenThousand)), byHundred, hundred, byTen, ten, zeros);
    const lower = fourDigits(i32x4.sub(limbs, i32x4.mul(high, tenThousand)), byHundred, hundred, byTen, ten, zeros);
    const firsts = v128.or(first, zeros);
    const upperTwo = i8x16.shuffle(upper, lower, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    const lowerTwo = i8x16.shuffle(upper, lower, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    v128.store8_lane(textPtr, firsts, 12);
    v128.store64_lane(textPtr, upperTwo, 1, 1);
    v128.store8_lane(textPtr, firsts, 8, 9);
    v128.store64_lane(textPtr, upperTwo, 0, 10);
    v128.store8_lane(textPtr, firsts, 4, 18);
    v128.store64_lane(textPtr, lowerTwo, 1, 19);
    v128.store8_lane(textPtr, firsts, 0, 27);
    v128.store64_lane(textPtr, lowerTwo, 0, 28);
  }
}

// @ts-ignore: decorator
@inline
export function parseEight(textPtr: usize): u32 {
  // Source: the well-known three-multiplication parse; each step joins neighbours: 8 digits, 4 pairs, 2 fours, 1 eight.
  let x = load<u64>(textPtr) - ZEROS;
  x = x * 10 + (x >> 8);
  x = ((x & 0x000000ff000000ff) * 0x000f424000000064 + ((x >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >> 32;
  return <u32>x;
}

/** Not 0 when a byte is no ASCII digit. */
// @ts-ignore: decorator
@inline
export function strangeBytes(x: u64): u64 {
  const kind: u64 = 0xf0f0f0f0f0f0f0f0;
  return ((x & kind) ^ ZEROS) | (((x + 0x0606060606060606) & kind) ^ ZEROS);
}

/** The values of eight digits each of two limbs to four numbers below 10^4: the upper and the lower half of the one, then of the other. */
// @ts-ignore: decorator
@inline
function joinDigits(values: v128): v128 {
  const twos = i16x8.add(i16x8.mul(v128.and(values, i16x8.splat(0xff)), i16x8.splat(10)), i16x8.shr_u(values, 8));
  return i32x4.dot_i16x8_s(twos, i32x4.splat(0x00010064));
}

/** Four limbs from the 36 digits before `end`, the last nine first. Not 0 anywhere: a byte was no digit. */
// @ts-ignore: decorator
@inline
function parseFourLimbs(end: usize, limbsPtr: usize): v128 {
  const zeros = i8x16.splat(48);
  const nine = i8x16.splat(9);
  const lowerTwo = i8x16.sub(v128.load64_lane(end - 17, v128.load64_zero(end - 8), 1), zeros);
  const upperTwo = i8x16.sub(v128.load64_lane(end - 35, v128.load64_zero(end - 26), 1), zeros);
  let first = i32x4.splat(load<u8>(end - 9));
  first = i32x4.replace_lane(first, 1, load<u8>(end - 18));
  first = i32x4.replace_lane(first, 2, load<u8>(end - 27));
  first = i32x4.sub(i32x4.replace_lane(first, 3, load<u8>(end - 36)), i32x4.splat(48));
  const lower = joinDigits(lowerTwo);
  const upper = joinDigits(upperTwo);
  const high = i8x16.shuffle(lower, upper, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
  const low = i8x16.shuffle(lower, upper, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  const upperPart = i32x4.add(i32x4.mul(first, i32x4.splat(100000000)), i32x4.mul(high, i32x4.splat(10000)));
  v128.store(limbsPtr, i32x4.add(upperPart, low));
  const strange = v128.or(i8x16.gt_u(lowerTwo, nine), i8x16.gt_u(upperTwo, nine));
  return v128.or(strange, i32x4.gt_u(first, i32x4.splat(9)));
}

/**
 * `digits` ASCII digits, most significant first, to ceil(digits/9) limbs, least significant first.
 * Returns false when there is any other byte: the parse alone would not notice some of them.
 */
export function textToLimbs(textPtr: usize, digits: usize, limbsPtr: usize): bool {
  let end = textPtr + digits;
  let strangeInFour = i32x4.splat(0);
  for (; end >= textPtr + 36; end -= 36) {
    strangeInFour = v128.or(strangeInFour, parseFourLimbs(end, limbsPtr));
    limbsPtr += 16;
  }
  let strange = u64(v128.any_true(strangeInFour));
  for (; end >= textPtr + 9; end -= 9) {
    const first = <u32>load<u8>(end - 9) - 48;
    strange |= strangeBytes(load<u64>(end - 8)) | u64(first > 9);
    store<u32>(limbsPtr, first * 100000000 + parseEight(end - 8));
    limbsPtr += 4;
  }
  if (end > textPtr) {
    let limb: u32 = 0;
    for (let at = textPtr; at < end; ++at) {
      const digit = <u32>load<u8>(at) - 48;
      strange |= u64(digit > 9);
      limb = limb * 10 + digit;
    }
    store<u32>(limbsPtr, limb);
  }
  return strange == 0;
}
