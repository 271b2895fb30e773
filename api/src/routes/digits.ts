import type { Capacity } from '../admission/capacity.ts';
import type { ApiServer } from '../api-types.ts';
import type { ApiContext } from '../dependencies.ts';
import { requireFormat } from '../representation/require-format.ts';
import { numberQuery, parseNumber } from '../schemas/number.ts';
import { content, digitsTextSchema, noContent, problemResponses, storedResultProblems } from '../schemas/responses.ts';
import { sendStoredResult } from './stored-result.ts';

const schema = {
  operationId: 'getDigits',
  tags: ['factorial'],
  summary: 'The stored digits of n!, whatever their size',
  description:
    'Streamed. One byte range is honoured, a set of several is answered with everything. Strong `ETag`, `Repr-Digest`.',
  querystring: numberQuery,
  response: {
    200: content('All digits.', { 'text/plain': digitsTextSchema }),
    206: content('The range asked for.', { 'text/plain': digitsTextSchema }),
    304: noContent('The client has it.'),
    307: noContent('`Location` serves the digits for a short time.'),
    ...problemResponses(...storedResultProblems),
  },
};

/** `GET|HEAD /factorial/digits?number=X` */
export function registerDigits(app: ApiServer, context: ApiContext, capacity: Capacity): void {
  for (const method of ['GET', 'HEAD'] as const) {
    app.route({
      method,
      url: '/factorial/digits',
      schema,
      handler: async (request, reply) => {
        const n = parseNumber(request.query.number);
        requireFormat(request, ['text/plain']);
        const row = await context.metadata.find(n);
        return sendStoredResult(request, reply, row, n, context, capacity);
      },
    });
  }
}
