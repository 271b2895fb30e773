import { InputError } from '../errors.ts';

/** Most digits a factorial number may have as a string: n < 10^19. */
export const maxNumberDigits = 19;

/** Longest excerpt of a refused value that an error message repeats, in characters. */
const maxQuotedCharacters = 40;

const expectedNumber = `an integer n with 0 ≤ n < 10^${maxNumberDigits}, as bigint, safe integer or canonical decimal string`;

/**
 * The n of n! from what a caller gave: a bigint, a safe integer, or a canonical decimal string (no sign, no leading zeros) of up
 * to 19 digits. Anything else is an `InputError` naming what was expected and a bounded excerpt of what was got; a string is
 * judged by its length before it is looked at.
 */
export function parseFactorialNumber(value: unknown): bigint {
  if (typeof value === 'bigint') {
    if (value < 0n || value >= 10n ** BigInt(maxNumberDigits))
      throw new InputError(expectedNumber, describeBigInt(value));
    return value;
  }
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < 0) throw new InputError(expectedNumber, describeNumber(value));
    return BigInt(value);
  }
  if (typeof value === 'string') {
    if (value.length > maxNumberDigits || !/^(?:0|[1-9][0-9]*)$/.test(value)) {
      throw new InputError(expectedNumber, describeString(value));
    }
    return BigInt(value);
  }
  throw new InputError(expectedNumber, describeOther(value));
}

/** Quotes a string for an error message, cut to a bounded length. */
export function describeString(value: string): string {
  if (value.length <= maxQuotedCharacters) return JSON.stringify(value);
  return `${JSON.stringify(value.slice(0, maxQuotedCharacters))}… (${value.length} characters)`;
}

function describeBigInt(value: bigint): string {
  // A bigint may have millions of digits, and writing them out costs more than the refusal is worth.
  const magnitude = value < 0n ? -value : value;
  if (magnitude >> 256n === 0n && magnitude.toString().length <= maxQuotedCharacters) return value.toString();
  return `a ${value < 0n ? 'negative ' : ''}bigint beyond the limit`;
}

function describeNumber(value: number): string {
  if (Number.isInteger(value) && value > 0) return `the number ${value} (beyond 2^53 - 1: pass it as bigint or string)`;
  return `the number ${Object.is(value, -0) ? '-0' : value}`;
}

function describeOther(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
