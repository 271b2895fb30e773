// Small products: primes into limbs, and limbs by limbs the long way.

const RADIX: u64 = 1000000000;

/**
 * a·b at outPtr, `aCount + bCount` limbs, the highest perhaps 0. Column by column in 64 bits.
 * Restrictions: counts ≥ 1, and ≤ 2^20; out overlaps neither operand.
 * Bound: the running sum of a column gives up 8·10^18 to a counter before it can reach 2^64.
 */
export function multiplySchoolbook(aPtr: usize, aCount: usize, bPtr: usize, bCount: usize, outPtr: usize): void {
  const fold = RADIX * RADIX * 8;
  let carry: u64 = 0;
  const columns = aCount + bCount - 1;
  for (let k: usize = 0; k < columns; ++k) {
    const first = k >= bCount ? k - bCount + 1 : 0;
    const last = k < aCount ? k : aCount - 1;
    let x = aPtr + (first << 2);
    const xEnd = aPtr + (last << 2);
    let y = bPtr + ((k - first) << 2);
    let low: u64 = carry;
    let high: u64 = 0;
    // Invariant: low < 8·10^18 before every eight products, so that low < 16·10^18 < 2^64 after them.
    while (x + 28 <= xEnd) {
      low += <u64>load<u32>(x) * <u64>load<u32>(y);
      low += <u64>load<u32>(x, 4) * <u64>load<u32>(y - 4);
      low += <u64>load<u32>(x, 8) * <u64>load<u32>(y - 8);
      low += <u64>load<u32>(x, 12) * <u64>load<u32>(y - 12);
      low += <u64>load<u32>(x, 16) * <u64>load<u32>(y - 16);
      low += <u64>load<u32>(x, 20) * <u64>load<u32>(y - 20);
      low += <u64>load<u32>(x, 24) * <u64>load<u32>(y - 24);
      low += <u64>load<u32>(x, 28) * <u64>load<u32>(y - 28);
      x += 32;
      y -= 32;
      if (low >= fold) {
        low -= fold;
        ++high;
      }
    }
    for (; x <= xEnd; x += 4) {
      low += <u64>load<u32>(x) * <u64>load<u32>(y);
      y -= 4;
    }
    const quotient = low / RADIX;
    store<u32>(outPtr + (k << 2), <u32>(low - quotient * RADIX));
    carry = quotient + high * (RADIX * 8);
  }
  store<u32>(outPtr + (columns << 2), <u32>carry);
}

/** A number times one word, in place; returns its new limb count. Restrictions: word < 2^32, room for two more limbs. */
export function multiplyWordInPlace(ptr: usize, count: usize, word: u32): usize {
  let carry: u64 = 0;
  const end = ptr + (count << 2);
  for (let at = ptr; at < end; at += 4) {
    const x = <u64>load<u32>(at) * <u64>word + carry;
    carry = x / RADIX;
    store<u32>(at, <u32>(x - carry * RADIX));
  }
  while (carry) {
    const next = carry / RADIX;
    store<u32>(ptr + (count << 2), <u32>(carry - next * RADIX));
    carry = next;
    ++count;
  }
  return count;
}

/** Factors that are multiplied one word at a time before numbers are multiplied by numbers. */
const WORDS_AT_ONCE: usize = 8;

/**
 * ∏ of `count` words at outPtr, by halving; returns its limb count. Limbs up to the next multiple of 8 are zeroed.
 * Restrictions: count ≥ 1; 1 ≤ words < 10^9; room for count + 8 limbs at outPtr, and at scratchPtr for 2·count + 16·log2(count) limbs.
 */
export function multiplyWords(wordsPtr: usize, count: usize, outPtr: usize, scratchPtr: usize): usize {
  const limbs = multiplyHalves(wordsPtr, count, outPtr, scratchPtr);
  for (let i = limbs; i & 7; ++i) store<u32>(outPtr + (i << 2), 0);
  return limbs;
}

function multiplyHalves(wordsPtr: usize, count: usize, outPtr: usize, scratchPtr: usize): usize {
  if (count <= WORDS_AT_ONCE) {
    store<u32>(outPtr, load<u32>(wordsPtr));
    let limbs: usize = 1;
    for (let i: usize = 1; i < count; ++i) limbs = multiplyWordInPlace(outPtr, limbs, load<u32>(wordsPtr + (i << 2)));
    return limbs;
  }
  const half = count >> 1;
  const aLimbs = multiplyHalves(wordsPtr, half, scratchPtr, scratchPtr + ((half + 8) << 2));
  const bPtr = scratchPtr + ((half + 8) << 2);
  const bLimbs = multiplyHalves(wordsPtr + (half << 2), count - half, bPtr, bPtr + ((count - half + 8) << 2));
  multiplySchoolbook(scratchPtr, aLimbs, bPtr, bLimbs, outPtr);
  const limbs = aLimbs + bLimbs;
  return load<u32>(outPtr + ((limbs - 1) << 2)) ? limbs : limbs - 1;
}
