import type { Capacity } from '../admission/capacity.ts';
import { retryAfterSeconds } from '../admission/retry-after.ts';
import type { ApiServer } from '../api-types.ts';
import type { ApiContext } from '../dependencies.ts';
import { notRequested } from '../problems/absence.ts';
import { requireFormat } from '../representation/require-format.ts';
import { metadataOf, metadataSchema } from '../schemas/metadata.ts';
import { numberQuery, parseNumber } from '../schemas/number.ts';
import { content, digitsTextSchema, noContent, problemResponses, storedResultProblems } from '../schemas/responses.ts';
import { sendStoredResult } from './stored-result.ts';

const schema = {
  operationId: 'getMetadata',
  tags: ['factorial'],
  summary: 'What is known of n!',
  description: 'The state of a requested n; with `Accept: text/plain` its digits, as `/factorial/digits` sends them.',
  querystring: numberQuery,
  response: {
    200: content('The state, or all digits.', { 'application/json': metadataSchema, 'text/plain': digitsTextSchema }),
    206: content('The range asked for.', { 'text/plain': digitsTextSchema }),
    304: noContent('The client has it.'),
    307: noContent('`Location` serves the digits for a short time.'),
    ...problemResponses(...storedResultProblems),
  },
};

/** `GET|HEAD /factorial/metadata?number=X` */
export function registerMetadata(app: ApiServer, context: ApiContext, capacity: Capacity): void {
  for (const method of ['GET', 'HEAD'] as const) {
    app.route({
      method,
      url: '/factorial/metadata',
      schema,
      handler: async (request, reply) => {
        const n = parseNumber(request.query.number);
        reply.header('vary', 'Accept');
        const format = requireFormat(request, ['application/json', 'text/plain']);
        const row = await context.metadata.find(n);
        if (format === 'text/plain') return sendStoredResult(request, reply, row, n, context, capacity);
        if (row === undefined) throw notRequested(n);
        if (row.status === 'calculating' || row.status === 'uploading') {
          reply.header('retry-after', retryAfterSeconds(row, capacity, context.options));
        }
        return reply.send(metadataOf(row));
      },
    });
  }
}
