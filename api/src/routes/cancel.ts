import { announceEnd, cancelCalculation } from '@factorial/backing';
import type { ApiServer } from '../api-types.ts';
import type { ApiContext } from '../dependencies.ts';
import type { KeyGuard } from '../plugins/api-keys.ts';
import { notRequested } from '../problems/absence.ts';
import { ApiProblem } from '../problems/problem.ts';
import { metadataOf, metadataSchema } from '../schemas/metadata.ts';
import { numberQuery, parseNumber } from '../schemas/number.ts';
import { content, problemResponses } from '../schemas/responses.ts';

const schema = {
  operationId: 'cancelFactorial',
  tags: ['factorial'],
  summary: 'Cancel an unfinished calculation',
  description: 'It ends as `failed` with code `cancelled`; its worker stops at its next report. Idempotent.',
  querystring: numberQuery,
  response: {
    200: content('Cancelled, now or before.', { 'application/json': metadataSchema }),
    ...problemResponses(
      'invalid-number',
      'missing-parameter',
      'unknown-parameter',
      'unauthorized',
      'not-requested',
      'already-done',
      'not-cancellable',
    ),
  },
};

/** `DELETE /factorial?number=X` */
export function registerCancel(app: ApiServer, { metadata, queue, workflow }: ApiContext, guard: KeyGuard): void {
  app.route({
    method: 'DELETE',
    url: '/factorial',
    schema,
    preParsing: async (request) => guard(request),
    handler: async (request, reply) => {
      const n = parseNumber(request.query.number);
      const { outcome, row, stopFault } = await cancelCalculation(n, { metadata, workflow });
      if (outcome === 'unknown' || row === undefined) throw notRequested(n);
      if (outcome === 'done') {
        throw new ApiProblem('already-done', `expected ${n}! to be unfinished, got it done; its digits stay`, {
          number: String(n),
        });
      }
      if (outcome === 'failed' && row.error?.code !== 'cancelled') {
        const detail = `expected ${n}! to be unfinished, got it failed: ${row.error?.message ?? 'no reason was recorded'}`;
        throw new ApiProblem('not-cancellable', detail, { number: String(n) });
      }
      if (outcome === 'cancelled') {
        // For other systems; nobody here waits for it, and a sweep tells what is not told now.
        void announceEnd(row, { metadata, announce: (event) => queue.announce(event) }).then(
          (fault) => fault && request.log.warn({ err: fault, number: String(n) }, 'cancellation not announced yet'),
          (error: unknown) => request.log.error({ err: error, number: String(n) }, 'cancellation not announced'),
        );
      }
      if (stopFault !== undefined)
        request.log.warn({ err: stopFault, number: String(n) }, 'execution not told to stop');
      return reply.code(200).send(metadataOf(row));
    },
  });
}
