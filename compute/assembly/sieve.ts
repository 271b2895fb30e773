// Primes of a range with their exponents in n! / 10^z, and the primes of one exponent plane.

/** Odd numbers crossed out at a time, one byte each: the first-level cache. */
const SIEVE_BYTES: usize = 1 << 15;
const ODD_ONES: u64 = 0x0101010101010101;

/** Legendre: ∑ ⌊n/p^k⌋. */
function exponentOf(n: u32, p: u32): u32 {
  let exponent: u32 = 0;
  for (let quotient = n / p; quotient; quotient /= p) exponent += quotient;
  return exponent;
}

// @ts-ignore: decorator
@inline
function storePair(at: usize, p: u32, exponent: u32): usize {
  store<u32>(at, p);
  store<u32>(at, exponent, 4);
  return at + 8;
}

/** Crosses out the odd multiples of the base primes among low + 1, low + 3, …, `count` of them, that are not themselves base primes. */
function crossOut(basePtr: usize, baseCount: usize, low: u32, count: usize, bytesPtr: usize): void {
  memory.fill(bytesPtr, 0, SIEVE_BYTES);
  const last = low + <u32>(2 * count - 1);
  for (let i: usize = 0; i < baseCount; ++i) {
    const p = load<u32>(basePtr + (i << 2));
    if (p * p > last) return;
    let multiple = p * p;
    if (multiple < low) {
      multiple = ((low + p - 1) / p) * p;
      if (!(multiple & 1)) multiple += p;
    }
    const end = bytesPtr + count;
    for (let at = bytesPtr + <usize>((multiple - low) >> 1); at < end; at += p) store<u8>(at, 1);
  }
}

/**
 * The primes in [low, high] with their exponents in n! / m! without its powers of ten (m = 0: in n! / 10^z) as pairs of words, without those of
 * exponent 0; returns how many. Where n! / m! has fewer factors 2 than 5, what 2 lacks is the exponent of 5: the quotient is then ten to that power
 * times as large. Restrictions: low even; high ≤ n; m ≤ n < 2^31; base primes: all odd ones up to √high; SIEVE_BYTES at bytesPtr.
 */
export function listPrimePowers(
  basePtr: usize,
  baseCount: usize,
  low: u32,
  high: u32,
  n: u32,
  m: u32,
  bytesPtr: usize,
  pairsPtr: usize,
): usize {
  let at = pairsPtr;
  if (low <= 2 && high >= 2) {
    const twos = exponentOf(n, 2) - exponentOf(m, 2);
    const fives = exponentOf(n, 5) - exponentOf(m, 5);
    if (twos > fives) at = storePair(at, 2, twos - fives);
    else if (fives > twos) at = storePair(at, 5, fives - twos);
  }
  for (let start = low; start < high; start += <u32>(2 * SIEVE_BYTES)) {
    const left = <usize>((high - start + 1) >> 1);
    const count = left < SIEVE_BYTES ? left : SIEVE_BYTES;
    crossOut(basePtr, baseCount, start, count, bytesPtr);
    if (!start) store<u8>(bytesPtr, 1);
    if (count < SIEVE_BYTES) memory.fill(bytesPtr + count, 1, (SIEVE_BYTES - count) & 7);
    for (let group: usize = 0; group < count; group += 8) {
      let found = (load<u64>(bytesPtr + group) & ODD_ONES) ^ ODD_ONES;
      while (found) {
        const p = start + 1 + 2 * (<u32>group + (<u32>ctz(found) >> 3));
        const exponent = exponentOf(n, p) - exponentOf(m, p);
        if (p != 5 && exponent) at = storePair(at, p, exponent);
        found &= found - 1;
      }
    }
  }
  return (at - pairsPtr) >> 3;
}

/** The primes whose exponent has bit `plane`, as words; returns how many. Restrictions: room for `count` + 1 words. */
export function selectPlane(pairsPtr: usize, count: usize, plane: u32, wordsPtr: usize): usize {
  let at = wordsPtr;
  const end = pairsPtr + (count << 3);
  for (; pairsPtr < end; pairsPtr += 8) {
    store<u32>(at, load<u32>(pairsPtr));
    at += ((load<u32>(pairsPtr, 4) >> plane) & 1) << 2;
  }
  return (at - wordsPtr) >> 2;
}
