import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { securityFields } from '../plugins/security-headers.ts';
import { ApiProblem, shorten } from '../problems/problem.ts';
import { checkPreconditions, entityTag, rangeApplies } from './conditional.ts';
import { type RangeRequest, readRange } from './range.ts';
import type { ServedDigits } from './stored-digits.ts';

/** Results never change: n! is n!. */
const immutable = 'public, max-age=31536000, immutable';
const digitsMediaType = 'text/plain; charset=utf-8';

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
  const description = describe(digits);
  if (digits.text !== undefined && isPlainGet(request)) {
    return sendWhole(request, reply, description.wholeFields, digits.text);
  }
  reply.headers(description.headers);
  const { tag } = description;
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

interface Description {
  readonly tag: string;
  /** Of every answer about these digits. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of an answer with all of them: names and values in turn. */
  readonly wholeFields: readonly string[];
}

/** Requests that share the digits share their description. */
const descriptions = new WeakMap<ServedDigits, Description>();

function describe(digits: ServedDigits): Description {
  const known = descriptions.get(digits);
  if (known !== undefined) return known;
  const tag = entityTag(digits.checksum);
  const headers = {
    'accept-ranges': 'bytes',
    etag: tag,
    'repr-digest': `sha-256=:${Buffer.from(digits.checksum, 'hex').toString('base64')}:`,
    'content-disposition': `inline; filename="factorial-${digits.n}.txt"`,
  };
  const wholeHeaders = {
    ...headers,
    'cache-control': immutable,
    'content-type': digitsMediaType,
    'content-length': String(digits.length),
  };
  const description = { tag, headers, wholeFields: [...securityFields, ...Object.entries(wholeHeaders).flat()] };
  descriptions.set(digits, description);
  return description;
}

/** What hooks and the route set before the answer is sent. `HEAD` is answered the ordinary way: a test compares the two. */
const setBefore = ['vary', 'x-cache', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'] as const;

/**
 * The answer from memory, the one that is asked for most. Written past Fastify's `send` and its `onSend` hooks, with what they would add: each
 * header is set once instead of three times, and digits are sent as the single bytes they are. Copying all headers of the reply would cost
 * a tenth of the whole answer, so they are named.
 */
function sendWhole(
  request: FastifyRequest,
  reply: FastifyReply,
  fields: readonly string[],
  text: string,
): FastifyReply {
  const all = ['x-request-id', request.id];
  for (const name of setBefore) {
    const value = reply.getHeader(name);
    if (value !== undefined) all.push(name, String(value));
  }
  reply.hijack();
  reply.raw.writeHead(200, all.concat(fields));
  reply.raw.end(text, 'latin1');
  return reply;
}

/** A GET that asks for everything, under no condition. */
function isPlainGet({ method, headers }: FastifyRequest): boolean {
  return (
    method === 'GET' &&
    headers.range === undefined &&
    headers['if-none-match'] === undefined &&
    headers['if-match'] === undefined
  );
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
  reply.type(digitsMediaType).header('content-length', String(range.end - range.start + 1n));
  return reply.send(body);
}

async function openBody(reply: FastifyReply, digits: ServedDigits, range: { start: bigint; end: bigint }) {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the client left'));
  });
  const body = await digits.open(range, gone.signal);
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return Readable.from(body, { objectMode: false });
}

function headerText(
  request: FastifyRequest,
  name: 'if-match' | 'if-none-match' | 'if-range' | 'range',
): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
