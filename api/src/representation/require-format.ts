import type { FastifyRequest } from 'fastify';
import { ApiProblem, shorten } from '../problems/problem.ts';
import { type MediaType, negotiate } from './negotiate.ts';

/** The offered media type the client prefers; the problem `not-acceptable` when it takes none. `note` goes into its words. */
export function requireFormat<T extends MediaType>(
  request: FastifyRequest,
  offers: readonly [T, ...T[]],
  note = '',
): T {
  const { accept } = request.headers;
  const format = negotiate(accept, offers);
  if (format !== undefined) return format;
  const allowed = offers.join(' or ');
  throw new ApiProblem('not-acceptable', `expected Accept to allow ${allowed}${note}, got ${shorten(accept ?? '')}`, {
    parameter: 'Accept',
    allowed,
  });
}
