import type { RequestBody } from './operations.ts';
import { ServiceError } from './service-error.ts';

/** Items on a page when the request does not say. */
const defaultResults = 100;

/** One page of a list, by `maxResults` (0 or absent: 100) and the `nextToken` of the page before. */
export function pageOf<T>(
  all: readonly T[],
  body: RequestBody,
  limit: number,
): { readonly items: readonly T[]; readonly nextToken: string | undefined } {
  const asked = body.maxResults ?? 0;
  if (typeof asked !== 'number' || !Number.isInteger(asked) || asked < 0 || asked > limit) {
    throw new ServiceError('ValidationException', `expected maxResults from 0 to ${limit}`);
  }
  const start = positionOf(body.nextToken);
  const end = start + (asked === 0 ? defaultResults : asked);
  return { items: all.slice(start, end), nextToken: end < all.length ? tokenOf(end) : undefined };
}

function tokenOf(position: number): string {
  return Buffer.from(`position:${position}`).toString('base64');
}

function positionOf(token: unknown): number {
  if (token === undefined || token === null) return 0;
  const match = /^position:(\d{1,9})$/.exec(Buffer.from(String(token), 'base64').toString('utf8'));
  if (match === null) throw new ServiceError('InvalidToken', `Invalid Token: '${String(token).slice(0, 100)}'`);
  return Number(match[1]);
}
