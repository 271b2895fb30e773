import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiServer } from '../api-types.ts';

// Everything comes from this server; the viewer sets inline styles, so only those are let through.
const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Collects the schemas of every route registered after it. */
export async function registerOpenApi(app: FastifyInstance, keysInUse: boolean): Promise<void> {
  await app.register(swagger, {
    convertConstToEnum: false,
    // Their operation ids get the suffix -head.
    exposeHeadRoutes: true,
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Factorial service',
        version: '1.0.0',
        description:
          'Every decimal digit of n!, exactly. Ask with POST, follow the metadata, read any range of the digits. `number`, `size` and `digits` are decimal strings; every error is a problem (RFC 9457).',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'factorial', description: 'Requests and results.' },
        { name: 'operations', description: 'Probes and descriptions.' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const guarded =
        url === '/factorial' && [route.method].flat().some((name) => name === 'POST' || name === 'DELETE');
      const security = [{ bearer: [] }, { apiKey: [] }, ...(keysInUse ? [] : [{}])];
      return { schema: guarded ? { ...schema, security } : schema, url };
    },
  });
}

/** `GET /openapi.json` and the viewer under `/docs`, which needs no other host. */
export async function registerDocs(app: ApiServer): Promise<void> {
  app.route({
    method: 'GET',
    url: '/openapi.json',
    schema: {
      operationId: 'openApi',
      tags: ['operations'],
      summary: 'This description, OpenAPI 3.1',
      response: {
        200: {
          description: 'The document.',
          content: { 'application/json': { schema: Type.Unsafe<string>({ type: 'object' }) } },
        },
      },
    },
    handler: async (_request, reply) =>
      reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsPolicy,
    uiConfig: { validatorUrl: null, docExpansion: 'list', deepLinking: true },
    theme: {
      title: 'Factorial service: API',
      css: [{ filename: 'theme.css', content: '.swagger-ui .topbar { display: none }' }],
    },
  });
}
