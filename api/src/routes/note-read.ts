import type { MetadataStore } from '@factorial/backing';
import type { FastifyBaseLogger } from 'fastify';

/** Records that a stored result was read, for whoever removes the least recently read. Not waited for; a fault costs nothing. */
export function noteRead(n: bigint, metadata: MetadataStore, log: FastifyBaseLogger): void {
  metadata.touchRead(n).catch((error: unknown) => log.warn({ err: error, number: String(n) }, 'read not recorded'));
}
