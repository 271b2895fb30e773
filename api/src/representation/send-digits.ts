import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblem, shorten } from '../problems/problem.ts';
import { checkPreconditions, entityTag, rangeApplies } from './conditional.ts';
import { type RangeRequest, readRange } from './range.ts';
import type { ServedDigits } from './stored-digits.ts';

/** Results never change: n! is n!. */
const immutable = 'public, max-age=31536000, immutable';

/** Where the whole result can be fetched instead; undefined = here. */
export type Elsewhere = () => Promise<string | undefined>;

/**
 * Answers with digits as text: preconditions, one byte range, `HEAD`, exact length and digest; chunks are read only as
 * fast as the client takes them, and reading stops when it leaves. With `elsewhere`, a GET is redirected there (307).
 */
export async function sendDigits(
  request: FastifyRequest,
  reply: FastifyReply,
  digits: ServedDigits,
  elsewhere?: Elsewhere,
): Promise<FastifyReply> {
  const tag = entityTag(digits.checksum);
  describeDigits(reply, digits, tag);
  const precondition = applyPreconditions(request, reply, tag);
  if (precondition === 'not-modified') return reply.code(304).send();
  const url = request.method === 'GET' ? await elsewhere?.() : undefined;
  if (url !== undefined) return reply.header('cache-control', 'no-store').redirect(url, 307);
  // RFC 9110 §14.2 defines Range for GET only: HEAD describes the whole.
  const counts = request.method === 'GET' && rangeApplies(headerText(request, 'if-range'), tag);
  const wanted = readRange(counts ? headerText(request, 'range') : undefined, digits.length);
  return sendRange(request, reply, digits, wanted);
}

/** Answers 304 or throws 412 where the conditional fields say so; used for every representation with this tag. */
export function applyPreconditions(
  request: FastifyRequest,
  reply: FastifyReply,
  tag: string,
): 'proceed' | 'not-modified' {
  const fields = {
    ifMatch: headerText(request, 'if-match'),
    ifNoneMatch: headerText(request, 'if-none-match'),
  };
  const outcome = checkPreconditions(fields, tag);
  reply.headers({ etag: tag, 'cache-control': immutable });
  if (outcome === 'failed') {
    throw new ApiProblem(
      'precondition-failed',
      `expected If-Match to name ${tag}, got ${shorten(fields.ifMatch ?? '')}`,
      {
        parameter: 'If-Match',
        allowed: tag,
      },
    );
  }
  return outcome;
}

function describeDigits(reply: FastifyReply, digits: ServedDigits, tag: string): void {
  reply.headers({
    'accept-ranges': 'bytes',
    etag: tag,
    'repr-digest': `sha-256=:${Buffer.from(digits.checksum, 'hex').toString('base64')}:`,
    'content-disposition': `inline; filename="factorial-${digits.n}.txt"`,
  });
}

async function sendRange(
  request: FastifyRequest,
  reply: FastifyReply,
  digits: ServedDigits,
  wanted: RangeRequest,
): Promise<FastifyReply> {
  const { length } = digits;
  if (wanted.kind === 'unsatisfiable') {
    const field = headerText(request, 'range') ?? '';
    throw new ApiProblem(
      'range-not-satisfiable',
      `expected a range within the ${length} digits, got ${shorten(field)}`,
      {
        parameter: 'Range',
        allowed: `bytes 0 to ${length - 1n}`,
      },
      { headers: { 'content-range': `bytes */${length}` } },
    );
  }
  const range = wanted.kind === 'part' ? wanted.range : { start: 0n, end: length - 1n };
  const body = request.method === 'HEAD' ? undefined : await openBody(reply, digits, range);
  if (wanted.kind === 'part') {
    reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${length}`);
  }
  reply.type('text/plain; charset=utf-8').header('content-length', String(range.end - range.start + 1n));
  return reply.send(body);
}

/** Bodies in memory up to this size are sent as text. */
const textMaxBytes = 65_536;

async function openBody(reply: FastifyReply, digits: ServedDigits, range: { start: bigint; end: bigint }) {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the client left'));
  });
  const body = await digits.open(range, gone.signal);
  if (body instanceof Uint8Array) {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    // Node writes a string in one piece with the header fields, a buffer in a piece of its own.
    return bytes.length <= textMaxBytes ? bytes.toString('latin1') : bytes;
  }
  return Readable.from(body, { objectMode: false });
}

function headerText(
  request: FastifyRequest,
  name: 'if-match' | 'if-none-match' | 'if-range' | 'range',
): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
