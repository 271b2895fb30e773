import type { ByteRange } from '@factorial/backing';

/** What a `Range` field asks of a representation of known length. */
export type RangeRequest =
  /** Absent, malformed, of another unit, or more than one range: serve everything. */
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly range: ByteRange }
  | { readonly kind: 'unsatisfiable' };

const whole: RangeRequest = { kind: 'whole' };
const unsatisfiable: RangeRequest = { kind: 'unsatisfiable' };
// Longer positions than any length: bounded so that no header makes a huge BigInt.
const rangePattern = /^bytes=[ \t]*([0-9]{0,30})-([0-9]{0,30})[ \t]*$/i;

/**
 * Reads a `Range` field (RFC 9110 §14.1.2, §14.2) for `length` bytes, `length` ≥ 1.
 *
 * One range is honoured: `a-b`, `a-` and the suffix `-k`. A set of several ranges is served whole, as §14.2 allows: it
 * saves nobody anything here and multipart answers would make one request cost many.
 */
export function readRange(field: string | undefined, length: bigint): RangeRequest {
  const match = field === undefined ? null : rangePattern.exec(field);
  if (match === null) return whole;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? whole : readSuffix(BigInt(last), length);
  const start = BigInt(first);
  if (last !== '' && BigInt(last) < start) return whole;
  if (start >= length) return unsatisfiable;
  const end = last === '' || BigInt(last) >= length ? length - 1n : BigInt(last);
  return { kind: 'part', range: { start, end } };
}

function readSuffix(count: bigint, length: bigint): RangeRequest {
  if (count === 0n) return unsatisfiable;
  return { kind: 'part', range: { start: count >= length ? 0n : length - count, end: length - 1n } };
}
