import { type DecimalLayout, nodeDigits } from './layout.ts';

/** Work of a run in units of about one digit of one division; shares of the time measured at n = 10^6. */

/** Of the whole product, per digit. */
const productUnitsPerDigit = 1;
/** Of turning a node of the task level into text, per digit. */
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
  const divisionLevels = layout.topLevel - layout.taskLevel;
  return productUnits(digitCount) + divisionLevels * digitCount + convertUnits(digitCount);
}
