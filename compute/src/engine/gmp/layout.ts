/**
 * Digits of one leaf of the conversion at most. `mpz_get_str` divides and conquers by itself (120 ns per digit here, 30 at 10,000
 * digits): dividing further before calling it gained 5 % and cost a second recursion. Set by tuners/gmp-leaf-digits.ts.
 */
export const maxLeafDigits = 160_000;
/** Texts, ready or under way, that may exist per thread: what is read ahead of the consumer. */
export const textsPerThread = 2;

/**
 * How significant digits are cut for conversion: digitCount ≤ leafDigits · 2^topLevel. A node of level k holds a number below
 * 10^(leafDigits · 2^k); level 0 is a leaf, turned into text by one task.
 */
export interface DecimalLayout {
  readonly leafDigits: number;
  readonly topLevel: number;
}

/** Restrictions: 1 ≤ digitCount < 2^53. */
export function decimalLayout(digitCount: number): DecimalLayout {
  const topLevel = Math.max(0, Math.ceil(Math.log2(digitCount / maxLeafDigits)));
  return { leafDigits: Math.ceil(digitCount / 2 ** topLevel), topLevel };
}

/** Digits of a node of this level, its leading zeros included. */
export function nodeDigits(layout: DecimalLayout, level: number): number {
  return layout.leafDigits * 2 ** level;
}
