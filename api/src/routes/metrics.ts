import { BackingError, withDeadline } from '@factorial/backing';
import { measureServicesUp } from '@factorial/backing/metrics';
import { Gauge } from '@prometheus-io/client';
import { Type } from 'typebox';
import type { ApiServer } from '../api-types.ts';
import type { ApiContext } from '../dependencies.ts';
import { emptyQuery } from '../schemas/number.ts';
import { content } from '../schemas/responses.ts';

/** `GET /metrics`: this process, its requests, and what is stored, for Prometheus. Rate-limited as every route: a scrape asks the stores. */
export function registerMetrics(app: ApiServer, context: ApiContext): void {
  const { metrics, readiness } = context;
  measureServicesUp(metrics, readiness);
  measureStore(context);
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      operationId: 'metrics',
      tags: ['operations'],
      summary: 'Metrics of this process, in the text format of Prometheus',
      querystring: emptyQuery,
      response: { 200: content('The metrics.', { 'text/plain': Type.String() }) },
    },
    handler: async (_request, reply) => {
      reply.header('cache-control', 'no-store');
      return await reply.type(metrics.contentType).send(await metrics.metrics());
    },
  });
}

/** Sums of the whole store, the same from every instance. Left out while the database does not answer. */
function measureStore({ metrics, metadata, options }: ApiContext): void {
  new Gauge({
    name: 'factorial_store_bytes',
    help: 'Bytes of stored results (stored) and those that unfinished calculations will need (reserved); OBJECTS_MAX_BYTES bounds their sum.',
    labelNames: ['state'],
    registers: [metrics],
    async collect() {
      this.reset();
      try {
        const asking = metadata.usage();
        const { storedBytes, reservedBytes } = await withDeadline(
          asking,
          options.readinessTimeoutMs,
          'the sums of the store',
        );
        this.set({ state: 'stored' }, Number(storedBytes));
        this.set({ state: 'reserved' }, Number(reservedBytes));
      } catch (error) {
        // The gauge of the services tells of it.
        if (!(error instanceof BackingError)) throw error;
      }
    },
  });
}
