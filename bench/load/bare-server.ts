// What the service is compared with: one Fastify route that sends the same bytes from memory and does nothing else. Its
// arguments: a file with the bytes. Prints its URL.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../api/package.json', import.meta.url));
const { fastify } = require('fastify') as {
  fastify: () => {
    get(
      path: string,
      handler: (request: unknown, reply: { type(t: string): { send(b: Buffer): unknown } }) => unknown,
    ): void;
    listen(options: { port: number; host: string }): Promise<string>;
  };
};
const bytes = readFileSync(process.argv[2] ?? '');
const app = fastify();
app.get('/factorial', (_request, reply) => reply.type('text/plain; charset=utf-8').send(bytes));
process.stdout.write(`Bare route at ${await app.listen({ port: 0, host: '127.0.0.1' })}\n`);
