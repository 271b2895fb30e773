import type { MetricsRegistry } from '@factorial/backing/metrics';
import { Counter } from '@prometheus-io/client';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AnswerDurations, type CountAnswer } from './answer-durations.ts';

/** From a hit of the cache to a download of gigabytes. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600];
const none = 'none';

/**
 * Counts and times every answer by method, route as it was registered, and status. What matched no route has neither method nor
 * address of its own here: clients choose both. Register it before any route.
 */
export function registerRequestMetrics(app: FastifyInstance, registry: MetricsRegistry): void {
  const durations = new AnswerDurations(
    {
      name: 'factorial_http_request_duration_seconds',
      help: 'Time from a request to the end of its answer, event streams included.',
      buckets: durationBuckets,
    },
    registry,
  );
  const countRead = countReads(registry);
  app.addHook('onRoute', (route) => {
    const count = durations.ofRoute(route.url);
    const others = [route.onResponse ?? []].flat();
    route.onResponse = [
      ...others,
      (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
        countAnswer(count, request.method, reply);
        countRead(reply.getHeader('x-cache'));
        done();
      },
    ];
  });
  const countOther = durations.ofRoute(none);
  app.addHook('onResponse', (request, reply, done) => {
    if (request.is404) countAnswer(countOther, none, reply);
    done();
  });
}

function countAnswer(count: CountAnswer, method: string, reply: FastifyReply): void {
  count(method, reply.statusCode, reply.elapsedTime / 1000);
}

/** Counts answers with digits by their `X-Cache`; others have none. */
function countReads(registry: MetricsRegistry): (cache: unknown) => void {
  const counts = new Map<string, number>();
  new Counter({
    name: 'factorial_digit_reads_total',
    help: 'Answers of GET and HEAD /factorial by where the digits came from: hit, miss or computed.',
    labelNames: ['cache'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [cache, count] of counts) this.inc({ cache: cache.toLowerCase() }, count);
    },
  });
  return (cache) => {
    if (typeof cache === 'string') counts.set(cache, (counts.get(cache) ?? 0) + 1);
  };
}
