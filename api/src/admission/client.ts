import { createHash } from 'node:crypto';
import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import { presentedKey } from '../plugins/api-keys.ts';

/**
 * Who asks, as an opaque text of 64 characters: the API key when keys are in use, else the address (an IPv6 address by
 * its /64). Hashed, so that the store keeps neither.
 */
export function clientOf(request: FastifyRequest, keysInUse: boolean): string {
  const key = keysInUse ? presentedKey(request) : undefined;
  const identity = key === undefined ? `address:${addressOf(request)}` : `key:${key}`;
  return createHash('sha256').update(identity).digest('hex');
}

/** The client's address as limits see it. */
export function addressOf(request: FastifyRequest): string {
  return normalizeIP(request.ip, 64);
}
