import { type DecimalLayout, nodeDigits } from './layout.ts';

/** Work of a run in units of about one digit of one division; shares of the time measured at n = 10^6. */

/** Of the whole product, per digit. */
const productUnitsPerDigit = 1;
/** Of turning a leaf into text, per digit. */
const convertUnitsPerDigit = 3;

export function productUnits(digitCount: number): number {
  return productUnitsPerDigit * digitCount;
}

export function convertUnits(digitCount: number): number {
  return convertUnitsPerDigit * digitCount;
}

/** Units of product, divisions and conversion together. */
export function totalUnits(layout: DecimalLayout): number {
  const digitCount = nodeDigits(layout, layout.topLevel);
  return productUnits(digitCount) + layout.topLevel * digitCount + convertUnits(digitCount);
}
