import { InputError } from '@factorial/compute';

/** The value of an option that bounds something. Restrictions: 1 ≤ value ≤ max and whole, else `InputError` naming the option. */
export function positiveInteger(name: string, value: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new InputError(`${name} as an integer from 1 to ${max}`, String(value));
  }
  return value;
}

/** Longest delay a timer takes, in milliseconds (24.8 days); a longer one would fire at once. */
export const maxTimerMs = 2 ** 31 - 1;
