import { maxInt64, numberPattern } from '@factorial/backing';
import { Type } from 'typebox';
import { ApiProblem, shorten } from '../problems/problem.ts';

/** What is accepted as n, in the words of every message about it. */
export const numberAllowed = `a decimal integer from 0 to ${maxInt64}, digits only, without leading zeros`;

/** n, a size or a count of digits on the wire: exact, so a decimal string. */
export const decimalString = (description: string) => Type.String({ pattern: '^(0|[1-9][0-9]*)$', description });

/** `?number=X` */
export const numberParameter = Type.String({
  pattern: numberPattern,
  description: 'n, as a decimal integer without leading zeros.',
  examples: ['20000'],
});

/** The query of every route about one n. */
export const numberQuery = Type.Object({ number: numberParameter }, { additionalProperties: false });

/** The query of routes that take none. */
export const emptyQuery = Type.Object({}, { additionalProperties: false });

/** n from text that the schema let through. Throws the problem `invalid-number` beyond 64 bits. */
export function parseNumber(text: string): bigint {
  const n = BigInt(text);
  if (n > maxInt64) throw invalidNumber(text);
  return n;
}

/** The problem for text that is not n, saying which rule it breaks. */
export function invalidNumber(text: string): ApiProblem {
  return new ApiProblem('invalid-number', `"number" ${faultOf(text)}: expected ${numberAllowed}`, {
    parameter: 'number',
    got: shorten(text),
    allowed: numberAllowed,
  });
}

function faultOf(text: string): string {
  if (text === '') return 'is empty';
  if (text !== text.trim()) return 'has spaces around it';
  if (/^-[0-9]/.test(text)) return 'is negative';
  if (/^\+[0-9]+$/.test(text)) return 'has a plus sign';
  if (/^0[0-9]+$/.test(text)) return 'has leading zeros';
  if (/^0[xob][0-9a-f]+n?$/i.test(text)) return 'is not decimal';
  if (/^[0-9.]*[0-9]e[+-]?[0-9]+$/i.test(text)) return 'is written with an exponent';
  if (/^[0-9]*\.[0-9]*$/.test(text)) return 'has a fraction';
  if (/^[0-9]+([_, '][0-9]+)+$/.test(text)) return 'has separators between its digits';
  if (/^[0-9]+$/.test(text)) return 'is larger than any n this service can name';
  return 'is not a decimal integer';
}
