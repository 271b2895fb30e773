/** The conditional fields of a request. */
export interface ConditionalFields {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** Strong entity tag of the digits with this hex SHA-256; other representations of them carry a suffix. */
export function entityTag(checksum: string, suffix = ''): string {
  return `"${checksum}${suffix}"`;
}

/** Outcome of the preconditions of RFC 9110 §13.2.2 for a representation that exists. */
export type Precondition = 'proceed' | 'not-modified' | 'failed';

/** Evaluates `If-Match` (strong comparison), then `If-None-Match` (weak comparison), against a strong entity tag. */
export function checkPreconditions(fields: ConditionalFields, tag: string): Precondition {
  if (fields.ifMatch !== undefined && !listMatches(fields.ifMatch, tag, 'strong')) return 'failed';
  if (fields.ifNoneMatch !== undefined && listMatches(fields.ifNoneMatch, tag, 'weak')) return 'not-modified';
  return 'proceed';
}

/** Whether `Range` counts: no `If-Range`, or one that is exactly this strong tag. A date never matches: none is sent. */
export function rangeApplies(ifRange: string | undefined, tag: string): boolean {
  return ifRange === undefined || ifRange.trim() === tag;
}

// An entity-tag holds no quote, so commas inside of one cannot be mistaken for separators.
const tagPattern = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

function listMatches(list: string, tag: string, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true;
  for (const [, weak, opaque] of list.matchAll(tagPattern)) {
    if (opaque === tag && (comparison === 'weak' || weak === undefined)) return true;
  }
  return false;
}
