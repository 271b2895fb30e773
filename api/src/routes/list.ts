import type { ApiServer } from '../api-types.ts';
import type { ApiContext } from '../dependencies.ts';
import { ApiProblem } from '../problems/problem.ts';
import { requireFormat } from '../representation/require-format.ts';
import { decodeCursor, encodeCursor, listQuery, listSchema } from '../schemas/list.ts';
import { metadataOf } from '../schemas/metadata.ts';
import { content, problemResponses } from '../schemas/responses.ts';

const schema = {
  operationId: 'listFactorials',
  tags: ['factorial'],
  summary: 'What was requested, newest first',
  querystring: listQuery,
  response: {
    200: content('One page.', { 'application/json': listSchema }),
    ...problemResponses('invalid-parameter', 'unknown-parameter', 'not-acceptable'),
  },
};

/** `GET /factorial/list?limit=&cursor=` */
export function registerList(app: ApiServer, context: ApiContext): void {
  const { metadata, options } = context;
  app.route({
    method: 'GET',
    url: '/factorial/list',
    schema,
    handler: async (request, reply) => {
      requireFormat(request, ['application/json']);
      const { limit, cursor } = request.query;
      const after = cursor === undefined ? undefined : decodeCursor(cursor);
      const page = await metadata.list(readLimit(limit, options.listDefaultLimit, options.listMaxLimit), after);
      const { maxFactorial, curFactorial } = await metadata.coordination();
      return reply.send({
        items: page.rows.map(metadataOf),
        next: page.next === undefined ? null : encodeCursor(page.next),
        maxFactorial: maxFactorial === null ? null : String(maxFactorial),
        curFactorial: curFactorial === null ? null : String(curFactorial),
      });
    },
  });
}

function readLimit(text: string | undefined, standard: number, maximum: number): number {
  const limit = text === undefined ? standard : Number(text);
  if (limit <= maximum) return limit;
  throw new ApiProblem('invalid-parameter', `expected "limit" from 1 to ${maximum}, got ${limit}`, {
    parameter: 'limit',
    got: String(limit),
    allowed: `1 to ${maximum}`,
  });
}
