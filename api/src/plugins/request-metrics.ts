import type { MetricsRegistry } from '@factorial/backing/metrics';
import { Counter, Histogram } from '@prometheus-io/client';
import type { FastifyInstance } from 'fastify';

/** From a hit of the cache to a download of gigabytes. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600];
const none = 'none';

/**
 * Counts and times every answer by method, route as it was registered, and status. What matched no route has neither method nor
 * address of its own here: clients choose both. Register it before any route.
 */
export function registerRequestMetrics(app: FastifyInstance, registry: MetricsRegistry): void {
  const registers = [registry];
  const duration = new Histogram({
    name: 'factorial_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer, event streams included.',
    labelNames: ['method', 'route', 'status'],
    buckets: durationBuckets,
    registers,
  });
  const reads = new Counter({
    name: 'factorial_digit_reads_total',
    help: 'Answers of GET and HEAD /factorial by where the digits came from: hit, miss or computed.',
    labelNames: ['cache'],
    registers,
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { url } = request.routeOptions;
    const method = url === undefined ? none : request.method;
    duration.observe({ method, route: url ?? none, status: reply.statusCode }, reply.elapsedTime / 1000);
    const cache = reply.getHeader('x-cache');
    if (typeof cache === 'string') reads.inc({ cache: cache.toLowerCase() });
    done();
  });
}
