import type { FactorialRow } from '@factorial/backing';
import { maxInt64 } from '@factorial/backing';
import { computeTinyFactorial, trailingZeroCount } from '@factorial/compute';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Capacity, largestWithDigits } from '../admission/capacity.ts';
import { retryAfterSeconds } from '../admission/retry-after.ts';
import type { ApiServer } from '../api-types.ts';
import type { ApiContext } from '../dependencies.ts';
import { absenceProblem } from '../problems/absence.ts';
import { entityTag } from '../representation/conditional.ts';
import { requireFormat } from '../representation/require-format.ts';
import { applyPreconditions, sendDigits } from '../representation/send-digits.ts';
import { digitsInMemory, digitsInStore, loadDigits, type ServedDigits } from '../representation/stored-digits.ts';
import { linksOf } from '../schemas/metadata.ts';
import { numberQuery, parseNumber } from '../schemas/number.ts';
import {
  content,
  digitsJsonSchema,
  digitsTextSchema,
  noContent,
  problemResponses,
  storedResultProblems,
} from '../schemas/responses.ts';
import { whileObjectExists } from './missing-object.ts';

const schema = {
  operationId: 'getFactorial',
  tags: ['factorial'],
  summary: 'The digits of n!',
  description:
    'From the cache, else computed at once when n is tiny, else from the store; `X-Cache` says which. JSON by `Accept` up to a size.',
  querystring: numberQuery,
  response: {
    200: content('All digits.', { 'text/plain': digitsTextSchema, 'application/json': digitsJsonSchema }),
    206: content('The range asked for.', { 'text/plain': digitsTextSchema }),
    303: noContent('n is large: `Location` is its metadata.'),
    304: noContent('The client has it.'),
    ...problemResponses(...storedResultProblems),
  },
};

/** `GET|HEAD /factorial?number=X` */
export function registerGetFactorial(app: ApiServer, context: ApiContext, capacity: Capacity): void {
  const { options } = context;
  // Found once: a digit count costs more than all the rest of an answer from the cache.
  const jsonMaxNumber = largestWithDigits(BigInt(options.jsonMaxDigits), maxInt64);
  for (const method of ['GET', 'HEAD'] as const) {
    app.route({
      method,
      url: '/factorial',
      schema,
      handler: async (request, reply) => {
        const n = parseNumber(request.query.number);
        reply.header('vary', 'Accept');
        if (n >= options.largeFrom) return reply.redirect(linksOf(n).self, 303);
        const format = formatFor(request, n, jsonMaxNumber, options.jsonMaxDigits);
        const found = await findDigits(n, context);
        if ('absent' in found) {
          const seconds = found.absent === undefined ? 0 : retryAfterSeconds(found.absent, capacity, options);
          throw absenceProblem(n, found.absent, seconds);
        }
        reply.header('x-cache', found.cache);
        const send = format === 'application/json' ? sendJson : sendDigits;
        if (found.cache !== 'COMPUTED') context.reads.note(n);
        if (found.cache !== 'MISS') return await send(request, reply, found.digits);
        return await whileObjectExists(n, context.metadata, () => send(request, reply, found.digits));
      },
    });
  }
}

function formatFor(
  request: FastifyRequest,
  n: bigint,
  jsonMaxNumber: bigint,
  jsonMaxDigits: number,
): 'text/plain' | 'application/json' {
  if (n <= jsonMaxNumber) return requireFormat(request, ['text/plain', 'application/json']);
  return requireFormat(request, ['text/plain'], ` (JSON holds at most ${jsonMaxDigits} digits)`);
}

type Found =
  | { readonly digits: ServedDigits; readonly cache: 'HIT' | 'MISS' | 'COMPUTED' }
  /** The row that is not done, or undefined when there is none. */
  | { readonly absent: FactorialRow | undefined };

async function findDigits(n: bigint, context: ApiContext): Promise<Found> {
  const { cache, metadata, objects, options } = context;
  const tiny = n <= options.tinyMaxNumber;
  const loaded = await cache.getOrLoad(n, async () => {
    if (tiny) return computeTinyFactorial(n);
    const row = await metadata.find(n);
    const cacheable = row?.status === 'done' && row.size !== null && cache.accepts(row.size);
    return cacheable ? whileObjectExists(n, metadata, () => loadDigits(row, objects)) : undefined;
  });
  if (loaded.digits !== undefined) {
    const origin = tiny ? 'COMPUTED' : 'MISS';
    return { digits: digitsInMemory(n, loaded.digits), cache: loaded.hit ? 'HIT' : origin };
  }
  const row = await metadata.find(n);
  return row?.status === 'done' ? { digits: digitsInStore(row, objects), cache: 'MISS' } : { absent: row };
}

async function sendJson(request: FastifyRequest, reply: FastifyReply, digits: ServedDigits): Promise<FastifyReply> {
  const tag = entityTag(digits.checksum, '-json');
  if (applyPreconditions(request, reply, tag) === 'not-modified') return reply.code(304).send();
  const value = await readText(digits);
  const body = JSON.stringify({
    number: String(digits.n),
    digits: String(digits.length),
    trailingZeros: String(trailingZeroCount(digits.n)),
    value,
  });
  return reply.type('application/json; charset=utf-8').send(body);
}

/** All digits as one string; only for results within `jsonMaxDigits`. */
async function readText(digits: ServedDigits): Promise<string> {
  const body = await digits.open({ start: 0n, end: digits.length - 1n }, new AbortController().signal);
  if (body instanceof Uint8Array) return Buffer.from(body).toString('latin1');
  let text = '';
  for await (const chunk of body) text += Buffer.from(chunk).toString('latin1');
  return text;
}
