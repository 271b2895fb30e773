/** Digits of one leaf of the conversion at most: beyond it `mpz_get_str` costs more per digit than one more division. */
export const maxLeafDigits = 10_000;
/** Divisions by powers of ten that one task does by itself: a task converts up to leafDigits · 2^taskLevel digits. */
export const maxTaskLevel = 5;
/** Texts, ready or under way, that may exist per thread: what is read ahead of the consumer. */
export const textsPerThread = 2;

/**
 * How significant digits are cut for conversion: digitCount ≤ leafDigits · 2^topLevel. A node of level k holds a number below
 * 10^(leafDigits · 2^k); level 0 is a leaf, nodes up to taskLevel are converted whole inside one task.
 */
export interface DecimalLayout {
  readonly leafDigits: number;
  readonly topLevel: number;
  readonly taskLevel: number;
}

/** Restrictions: 1 ≤ digitCount < 2^53. */
export function decimalLayout(digitCount: number): DecimalLayout {
  const topLevel = Math.max(0, Math.ceil(Math.log2(digitCount / maxLeafDigits)));
  return { leafDigits: Math.ceil(digitCount / 2 ** topLevel), topLevel, taskLevel: Math.min(topLevel, maxTaskLevel) };
}

/** Digits of a node of this level, its leading zeros included. */
export function nodeDigits(layout: DecimalLayout, level: number): number {
  return layout.leafDigits * 2 ** level;
}
