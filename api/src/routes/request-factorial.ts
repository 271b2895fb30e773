import type { Admission } from '../admission/admit.ts';
import type { Capacity } from '../admission/capacity.ts';
import { clientOf } from '../admission/client.ts';
import { retryAfterSeconds } from '../admission/retry-after.ts';
import type { ApiServer } from '../api-types.ts';
import type { ApiContext } from '../dependencies.ts';
import type { KeyGuard } from '../plugins/api-keys.ts';
import { metadataOf, metadataSchema } from '../schemas/metadata.ts';
import { emptyQuery } from '../schemas/number.ts';
import { factorialRequestSchema } from '../schemas/request.ts';
import { content, problemResponses } from '../schemas/responses.ts';

const schema = {
  operationId: 'requestFactorial',
  tags: ['factorial'],
  summary: 'Ask for n!',
  description:
    'Idempotent by n: asking again answers with the state of the same calculation; a failed one starts a new attempt.',
  querystring: emptyQuery,
  body: factorialRequestSchema,
  response: {
    200: content('Done already; `Location` is its metadata.', { 'application/json': metadataSchema }),
    202: content('Accepted, or under way; `Location` is where to follow it, `Retry-After` when to look.', {
      'application/json': metadataSchema,
    }),
    ...problemResponses(
      'malformed-json',
      'invalid-body',
      'invalid-number',
      'unauthorized',
      'body-too-large',
      'unsupported-media-type',
      'number-too-large',
      'too-many-unfinished',
      'store-full',
    ),
  },
};

/** `POST /factorial` */
export function registerRequestFactorial(
  app: ApiServer,
  context: ApiContext,
  services: { readonly admission: Admission; readonly capacity: Capacity; readonly guard: KeyGuard },
): void {
  const { options } = context;
  app.route({
    method: 'POST',
    url: '/factorial',
    schema,
    // Before the body is read, after the rate limit: guessing keys is limited, and costs no parsing.
    preParsing: async (request) => services.guard(request),
    handler: async (request, reply) => {
      const n = BigInt(request.body.number);
      const client = clientOf(request, options.apiKeys.length > 0);
      const row = await services.admission.admit(n, client, request.log);
      const metadata = metadataOf(row);
      reply.header('location', metadata.links.self);
      if (row.status === 'done') return reply.code(200).send(metadata);
      reply.header('retry-after', retryAfterSeconds(row, services.capacity, options));
      return reply.code(202).send(metadata);
    },
  });
}
