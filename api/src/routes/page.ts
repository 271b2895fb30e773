import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ApiServer } from '../api-types.ts';
import { applyPreconditions } from '../representation/send-digits.ts';

// The same place from src/routes and from dist/routes.
const webFolder = new URL('../../web/', import.meta.url);

const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const files = [
  { url: '/', name: 'index.html', type: 'text/html; charset=utf-8' },
  { url: '/web/app.js', name: 'app.js', type: 'text/javascript; charset=utf-8' },
  { url: '/web/style.css', name: 'style.css', type: 'text/css; charset=utf-8' },
  { url: '/web/icon.svg', name: 'icon.svg', type: 'image/svg+xml' },
] as const;

/** The web page: `/` and its three files, read once, from this server alone and under a strict policy. */
export async function registerPage(app: ApiServer): Promise<void> {
  for (const { url, name, type } of files) {
    const bytes = await readFile(new URL(name, webFolder));
    const tag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`;
    app.route({
      method: ['GET', 'HEAD'],
      url,
      schema: { hide: true },
      handler: async (request, reply) => {
        const outcome = applyPreconditions(request, reply, tag);
        reply.headers({ 'cache-control': 'no-cache', 'content-security-policy': pagePolicy });
        return outcome === 'not-modified' ? reply.code(304).send() : reply.type(type).send(bytes);
      },
    });
  }
}
