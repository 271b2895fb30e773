import { Type } from 'typebox';
import type { ApiServer } from '../api-types.ts';
import { isProblemCode, problemCatalogue, problemType } from '../problems/catalogue.ts';
import { ApiProblem, shorten } from '../problems/problem.ts';
import { emptyQuery } from '../schemas/number.ts';
import { content, problemResponses } from '../schemas/responses.ts';

const problemTypeSchema = Type.Object(
  { type: Type.String(), status: Type.Integer(), title: Type.String(), meaning: Type.String() },
  { title: 'ProblemType' },
);

/** `GET /problems/{code}`: what the `type` of a problem means. */
export function registerProblems(app: ApiServer): void {
  app.route({
    method: 'GET',
    url: '/problems/:code',
    schema: {
      operationId: 'problemType',
      tags: ['operations'],
      summary: 'What a problem type means',
      params: Type.Object({
        code: Type.String({ description: 'Last segment of `type`.', examples: ['not-requested'] }),
      }),
      querystring: emptyQuery,
      response: {
        200: content('The problem type.', { 'application/json': problemTypeSchema }),
        ...problemResponses('route-not-found'),
      },
    },
    handler: async (request, reply) => {
      const { code } = request.params;
      if (!isProblemCode(code)) {
        throw new ApiProblem('route-not-found', `expected a problem code of this service, got ${shorten(code)}`, {
          allowed: Object.keys(problemCatalogue).join(', '),
        });
      }
      const [status, title, meaning] = problemCatalogue[code];
      return reply.send({ type: problemType(code), status, title, meaning });
    },
  });
}
