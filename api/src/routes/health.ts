import { Type } from 'typebox';
import type { ApiServer } from '../api-types.ts';
import type { ApiContext } from '../dependencies.ts';
import { emptyQuery } from '../schemas/number.ts';
import { content } from '../schemas/responses.ts';

const healthSchema = Type.Object({ status: Type.Literal('ok') }, { title: 'Health' });

const readinessSchema = Type.Object(
  {
    status: Type.Union([Type.Literal('ready'), Type.Literal('degraded'), Type.Literal('unready')]),
    checks: Type.Array(
      Type.Object({
        name: Type.String(),
        ok: Type.Boolean(),
        required: Type.Boolean(),
        error: Type.Union([Type.String(), Type.Null()]),
      }),
    ),
  },
  { title: 'Readiness' },
);

/** `GET /healthz` (the process answers) and `GET /readyz` (what it needs answers too). Not rate-limited. */
export function registerHealth(app: ApiServer, { readiness, closing }: ApiContext): void {
  app.route({
    method: 'GET',
    url: '/healthz',
    config: { rateLimit: false },
    schema: {
      operationId: 'health',
      tags: ['operations'],
      summary: 'Whether the process is alive',
      querystring: emptyQuery,
      response: { 200: content('Alive.', { 'application/json': healthSchema }) },
    },
    handler: async () => ({ status: 'ok' as const }),
  });
  app.route({
    method: 'GET',
    url: '/readyz',
    config: { rateLimit: false },
    schema: {
      operationId: 'readiness',
      tags: ['operations'],
      summary: 'Whether the backing services answer',
      description: 'Without a service that is not required the API is `degraded`, and still 200.',
      querystring: emptyQuery,
      response: {
        200: content('Ready, or degraded.', { 'application/json': readinessSchema }),
        503: content('A required service does not answer, or the server is closing.', {
          'application/json': readinessSchema,
        }),
      },
    },
    handler: async (_request, reply) => {
      const { status, checks } = await readiness.report(closing.aborted);
      return reply.code(status === 'unready' ? 503 : 200).send({ status, checks: [...checks] });
    },
  });
}
