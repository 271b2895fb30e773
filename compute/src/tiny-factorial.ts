import { multiplyInline } from './engine/decimal/inline.ts';
import { InputError } from './errors.ts';
import { trailingZeroCount } from './factorial/exponents.ts';
import { parseFactorialNumber } from './factorial/factorial-number.ts';

/** Largest n of `computeTinyFactorial`: 16,326 digits in a fraction of a millisecond. */
export const tinyFactorialLimit = 5_000n;

const zeroCode = 48;

/**
 * The ASCII digits of n! at once, on the calling thread, verified.
 * Restrictions: 0 ≤ n ≤ `tinyFactorialLimit`; `InputError` otherwise.
 */
export function computeTinyFactorial(n: unknown): Uint8Array {
  const number = parseFactorialNumber(n);
  if (number > tinyFactorialLimit) throw new InputError(`n up to ${tinyFactorialLimit}`, `${number}`);
  // n! ≤ n^n.
  const mostDigits = number < 2n ? 1 : Math.floor(Number(number) * Math.log10(Number(number))) + 1;
  const { text } = multiplyInline(Number(number), mostDigits);
  const digits = new Uint8Array(text.length + Number(trailingZeroCount(number))).fill(zeroCode, text.length);
  digits.set(text);
  return digits;
}
