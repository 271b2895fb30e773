import { randomUUID } from 'node:crypto';
import { backingChecks, Readiness } from '@factorial/backing';
import { newMetricsRegistry } from '@factorial/backing/metrics';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyInstance } from 'fastify';
import { Admission } from './admission/admit.ts';
import { Capacity } from './admission/capacity.ts';
import type { ApiServer } from './api-types.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { type ApiOptions, type ApiOptionsInput, resolveApiOptions } from './options.ts';
import { makeKeyGuard } from './plugins/api-keys.ts';
import { answerClientError, registerErrorHandler, sendProblem } from './plugins/error-handler.ts';
import { registerJsonBody } from './plugins/json-body.ts';
import { registerNotFound } from './plugins/not-found.ts';
import { registerDocs, registerOpenApi } from './plugins/openapi.ts';
import { registerRateLimit } from './plugins/rate-limit.ts';
import { requestLogger } from './plugins/request-log.ts';
import { registerRequestMetrics } from './plugins/request-metrics.ts';
import { registerSecurityHeaders, setSecurityHeaders } from './plugins/security-headers.ts';
import { toProblem } from './problems/translate.ts';
import { ReadNotes } from './representation/read-notes.ts';
import { registerCancel } from './routes/cancel.ts';
import { registerDigits } from './routes/digits.ts';
import { registerEstimate } from './routes/estimate.ts';
import { registerEvents } from './routes/events.ts';
import { registerGetFactorial } from './routes/get-factorial.ts';
import { registerHealth } from './routes/health.ts';
import { registerList } from './routes/list.ts';
import { registerMetadata } from './routes/metadata.ts';
import { registerMetrics } from './routes/metrics.ts';
import { registerPage } from './routes/page.ts';
import { registerProblems } from './routes/problems.ts';
import { registerRequestFactorial } from './routes/request-factorial.ts';

const timeoutCheckMaxMs = 5_000;

/**
 * The HTTP side of the service: every route registered, ready, not listening. Call `listen` on it, and `close` to end
 * event streams and give answers under way `closeDrainMs`; the dependencies stay open. Throws `InputError` for a wrong option.
 */
export async function createApi(deps: ApiDependencies, input: ApiOptionsInput = {}): Promise<FastifyInstance> {
  const options = resolveApiOptions(input);
  const app = makeServer(deps, options);
  const closing = registerClosing(app, options.closeDrainMs);
  const reads = new ReadNotes(deps.metadata, app.log);
  app.addHook('onClose', () => reads.flush());
  const context: ApiContext = {
    metadata: deps.metadata,
    cache: deps.cache,
    objects: deps.objects,
    queue: deps.queue,
    workflow: deps.workflow,
    options,
    readiness: new Readiness([...backingChecks(deps), ...(deps.readiness ?? [])], options.readinessTimeoutMs),
    metrics: deps.metrics ?? newMetricsRegistry(),
    reads,
    closing,
  };
  registerSecurityHeaders(app);
  registerRequestMetrics(app, context.metrics);
  registerErrorHandler(app, options);
  registerJsonBody(app);
  await registerRateLimit(app, options);
  registerNotFound(app);
  await registerOpenApi(app, options.apiKeys.length > 0);
  registerRoutes(app, context);
  await registerPage(app);
  await registerDocs(app);
  await app.ready();
  return app as unknown as FastifyInstance;
}

function makeServer(deps: ApiDependencies, options: ApiOptions): ApiServer {
  const log = deps.logger;
  const app = fastify({
    // Node looks for late requests only this often.
    http: { connectionsCheckingInterval: Math.min(options.requestTimeoutMs, timeoutCheckMaxMs) },
    ...(log === undefined ? {} : { loggerInstance: log, childLoggerFactory: requestLogger }),
    bodyLimit: options.bodyMaxBytes,
    requestTimeout: options.requestTimeoutMs,
    connectionTimeout: options.connectionIdleMs,
    trustProxy: options.trustProxy === false ? false : [...options.trustProxy],
    exposeHeadRoutes: false,
    genReqId: () => randomUUID(),
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: true } },
    frameworkErrors: (error, request, reply) => {
      setSecurityHeaders(request, reply);
      sendProblem(toProblem(error, request, options.bodyMaxBytes), request, reply);
    },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, log),
  });
  app.server.maxConnections = options.maxConnections;
  app.server.headersTimeout = options.requestTimeoutMs;
  return app.withTypeProvider<TypeBoxTypeProvider>();
}

/** The signal that the server begins to close; from then on answers under way have `drainMs` to end. */
function registerClosing(app: ApiServer, drainMs: number): AbortSignal {
  const closing = new AbortController();
  let cut: NodeJS.Timeout | undefined;
  app.addHook('preClose', async () => {
    closing.abort(new Error('the server is closing'));
    cut = setTimeout(() => app.server.closeAllConnections(), drainMs);
  });
  app.addHook('onClose', async () => clearTimeout(cut));
  // A connection whose answer was under way would otherwise idle until its keep-alive ends, and hold up the close.
  app.addHook('onResponse', (request, _reply, done) => {
    if (closing.signal.aborted) request.raw.socket.end();
    done();
  });
  return closing.signal;
}

function registerRoutes(app: ApiServer, context: ApiContext): void {
  const capacity = new Capacity(context, context.options);
  const admission = new Admission(context, capacity);
  const guard = makeKeyGuard(context.options.apiKeys);
  registerRequestFactorial(app, context, { admission, capacity, guard });
  registerGetFactorial(app, context, capacity);
  registerMetadata(app, context, capacity);
  registerDigits(app, context, capacity);
  registerEstimate(app, capacity);
  registerList(app, context);
  registerEvents(app, context);
  registerCancel(app, context, guard);
  registerHealth(app, context);
  registerMetrics(app, context);
  registerProblems(app);
}
