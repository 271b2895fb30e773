// Limbs ↔ ASCII digits, nine to a limb, eight of them at a time inside one 64-bit word.

const ZEROS: u64 = 0x3030303030303030;

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

/** `count` limbs as 9·count ASCII digits, most significant first. Restrictions: limbs < 10^9. */
export function limbsToText(limbsPtr: usize, count: usize, textPtr: usize): void {
  for (let at = limbsPtr + (count << 2) - 4; at >= limbsPtr; at -= 4) {
    const limb = load<u32>(at);
    const first = limb / 100000000;
    store<u8>(textPtr, 48 + first);
    store<u64>(textPtr, eightDigits(limb - first * 100000000), 1);
    textPtr += 9;
  }
}

// @ts-ignore: decorator
@inline
function parseEight(textPtr: usize): u32 {
  // Source: the well-known three-multiplication parse; each step joins neighbours: 8 digits, 4 pairs, 2 fours, 1 eight.
  let x = load<u64>(textPtr) - ZEROS;
  x = x * 10 + (x >> 8);
  x = ((x & 0x000000ff000000ff) * 0x000f424000000064 + ((x >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >> 32;
  return <u32>x;
}

/** Not 0 when a byte is no ASCII digit. */
// @ts-ignore: decorator
@inline
function strangeBytes(x: u64): u64 {
  const kind: u64 = 0xf0f0f0f0f0f0f0f0;
  return ((x & kind) ^ ZEROS) | (((x + 0x0606060606060606) & kind) ^ ZEROS);
}

/**
 * `digits` ASCII digits, most significant first, to ceil(digits/9) limbs, least significant first.
 * Returns false when there is any other byte: the parse alone would not notice some of them.
 */
export function textToLimbs(textPtr: usize, digits: usize, limbsPtr: usize): bool {
  let end = textPtr + digits;
  let strange: u64 = 0;
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
