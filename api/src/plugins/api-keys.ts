import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ApiProblem } from '../problems/problem.ts';

/** A check of the request's key. Resolves when it may go on, throws the problem `unauthorized` otherwise. */
export type KeyGuard = (request: FastifyRequest) => Promise<void>;

/**
 * A guard for the routes that change something. Keys come as `Authorization: Bearer …` or `X-Api-Key`. Both sides are
 * hashed and every key is compared in constant time, so the time taken tells nothing about any of them. Without keys
 * everything is let through.
 */
export function makeKeyGuard(apiKeys: readonly string[]): KeyGuard {
  const hashes = apiKeys.map((key) => (key.startsWith('sha256:') ? Buffer.from(key.slice(7), 'hex') : sha256(key)));
  return async (request) => {
    if (hashes.length === 0) return;
    const presented = presentedKey(request);
    const hash = sha256(presented ?? '');
    let matches = 0;
    for (const known of hashes) matches += timingSafeEqual(known, hash) ? 1 : 0;
    if (presented === undefined || matches === 0) throw unauthorized(presented !== undefined);
  };
}

/** The key a request presents, or undefined. */
export function presentedKey(request: FastifyRequest): string | undefined {
  const bearer = /^Bearer[ \t]+(\S+)$/i.exec(request.headers.authorization?.trim() ?? '')?.[1];
  const header = request.headers['x-api-key'];
  return bearer ?? (typeof header === 'string' && header !== '' ? header : undefined);
}

function unauthorized(presented: boolean): ApiProblem {
  const got = presented ? 'one that is not known' : 'none';
  return new ApiProblem(
    'unauthorized',
    `expected an API key as "Authorization: Bearer <key>" or "X-Api-Key: <key>", got ${got}`,
    {},
    { headers: { 'www-authenticate': 'Bearer realm="factorial"' } },
  );
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
