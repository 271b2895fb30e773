// n! / 10^z as a list of words, for n so small that a sieve would take longer than the product.

const LIMIT: u32 = 1000000000;

/**
 * Words below 10^9 whose product is n! / 10^z, as few as neighbours allow; returns their count, at least 1.
 * The numbers up to n lose their factors 2 and 5; the 2s that no 5 takes along follow at the end.
 * Restrictions: n < 2^15; room for n + 2 words.
 */
export function packFactors(n: u32, wordsPtr: usize): usize {
  const start = wordsPtr;
  let word: u32 = 1;
  let twos: u32 = 0;
  for (let k: u32 = 2; k <= n; ++k) {
    const shift = ctz(k);
    twos += shift;
    let odd = k >> shift;
    while (odd % 5 == 0) {
      odd /= 5;
      --twos;
    }
    if (<u64>word * <u64>odd < <u64>LIMIT) {
      word *= odd;
    } else {
      store<u32>(wordsPtr, word);
      wordsPtr += 4;
      word = odd;
    }
  }
  store<u32>(wordsPtr, word);
  wordsPtr += 4;
  for (; twos; wordsPtr += 4) {
    const shift = min<u32>(twos, 29);
    store<u32>(wordsPtr, (<u32>1) << shift);
    twos -= shift;
  }
  return (wordsPtr - start) >> 2;
}
