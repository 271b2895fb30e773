import type { FastifyInstance } from 'fastify';
import { ApiProblem, shorten } from '../problems/problem.ts';

/** Problems for paths nobody serves (404) and for methods a path does not have (405 with `Allow`). Before any route. */
export function registerNotFound(app: FastifyInstance): void {
  const methodsByPath = new Map<string, Set<string>>();
  app.addHook('onRoute', (route) => {
    const methods = methodsByPath.get(route.url) ?? new Set();
    for (const method of [route.method].flat()) methods.add(method.toUpperCase());
    methodsByPath.set(route.url, methods);
  });
  // Registered only where requests are limited at all.
  const limited = app.hasDecorator('rateLimit') ? { preHandler: app.rateLimit() } : {};
  app.setNotFoundHandler(limited, (request) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = methodsByPath.get(path);
    if (methods === undefined || methods.has(request.method)) {
      throw new ApiProblem(
        'route-not-found',
        `nothing is served under ${shorten(path)}; GET /openapi.json lists what is`,
      );
    }
    const allow = [...methods].sort().join(', ');
    throw new ApiProblem(
      'method-not-allowed',
      `expected one of ${allow}, got ${shorten(request.method)}`,
      {
        allowed: allow,
      },
      { headers: { allow } },
    );
  });
}
