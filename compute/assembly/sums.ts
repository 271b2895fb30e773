// Sums and differences of limbs in signed 64-bit words, then their carries.

const RADIX: i64 = 1000000000;

/** sum_i ← sum_i + sign·limb_i, sums as signed 64-bit words. Restrictions: sign 1 or −1; limbs < 10^9; at most 2^32 terms. */
export function accumulateLimbs(sumPtr: usize, limbsPtr: usize, count: usize, sign: i32): void {
  const end = limbsPtr + (count << 2);
  const factor = <i64>sign;
  for (; limbsPtr < end; limbsPtr += 4) {
    store<i64>(sumPtr, load<i64>(sumPtr) + factor * <i64>load<u32>(limbsPtr));
    sumPtr += 8;
  }
}

/** Sums to limbs, from the carry at carryPtr (signed, 64 bits), which is left for the next ones. Restrictions: |sum| < 2^62. */
export function carrySums(sumPtr: usize, count: usize, carryPtr: usize, outPtr: usize): void {
  let carry = load<i64>(carryPtr);
  const end = outPtr + (count << 2);
  for (; outPtr < end; outPtr += 4) {
    const sum = load<i64>(sumPtr) + carry;
    carry = sum / RADIX;
    let limb = sum - carry * RADIX;
    if (limb < 0) {
      limb += RADIX;
      --carry;
    }
    store<u32>(outPtr, <u32>limb);
    sumPtr += 8;
  }
  store<i64>(carryPtr, carry);
}
