import { InputError } from './errors.ts';
import { parseFactorialNumber } from './factorial/factorial-number.ts';

/** Largest n of `computeTinyFactorial`: 16,326 digits in well under a millisecond or two. */
export const tinyFactorialLimit = 5_000n;

/**
 * The ASCII digits of n! at once, on the calling thread and with nothing to load.
 * Restrictions: 0 ≤ n ≤ `tinyFactorialLimit`; `InputError` otherwise.
 */
export function computeTinyFactorial(n: unknown): Uint8Array {
  const number = parseFactorialNumber(n);
  if (number > tinyFactorialLimit) throw new InputError(`n up to ${tinyFactorialLimit}`, `${number}`);
  return new TextEncoder().encode(productOfRange(1n, number).toString());
}

/** low · (low + 1) · … · high by binary splitting; 1 when the range is empty. */
function productOfRange(low: bigint, high: bigint): bigint {
  if (high - low < 16n) {
    let product = 1n;
    for (let factor = low; factor <= high; factor++) product *= factor;
    return product;
  }
  const middle = (low + high) / 2n;
  return productOfRange(low, middle) * productOfRange(middle + 1n, high);
}
