import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { addressOf } from '../admission/client.ts';
import type { ApiOptions } from '../options.ts';
import { ApiProblem } from '../problems/problem.ts';

const timeWindowMs = 60_000;

/** Limits requests per address and minute on every route that does not opt out. Counted before keys are looked at. */
export async function registerRateLimit(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const { rateLimitPerMinute } = options;
  if (rateLimitPerMinute === 0) return;
  await app.register(rateLimit, {
    global: true,
    max: rateLimitPerMinute,
    timeWindow: timeWindowMs,
    cache: options.rateLimitMaxClients,
    keyGenerator: addressOf,
    errorResponseBuilder: (_request, context) =>
      new ApiProblem(
        'rate-limited',
        `expected at most ${context.max} requests a minute, got more; go on in ${context.after}`,
        {
          allowed: `${context.max} per minute`,
        },
      ),
  });
}
