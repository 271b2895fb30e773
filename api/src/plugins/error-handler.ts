import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiOptions } from '../options.ts';
import { type ProblemCode, problemMediaType } from '../problems/catalogue.ts';
import { ApiProblem } from '../problems/problem.ts';
import { toProblem } from '../problems/translate.ts';

/** Makes the sender of problems the one place where errors become answers. */
export function registerErrorHandler(app: FastifyInstance, options: ApiOptions): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error, request, options.bodyMaxBytes);
    if (request.raw.socket.destroyed) request.log.debug({ err: error }, 'the client left before its answer');
    else if (problem.status >= 500)
      request.log.error({ err: problem.cause ?? problem, code: problem.code }, 'request failed');
    return sendProblem(problem, request, reply);
  });
}

/** Sends a problem as RFC 9457 JSON with the request id. */
export function sendProblem(problem: ApiProblem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  for (const name of ['etag', 'repr-digest', 'accept-ranges', 'content-disposition', 'content-length', 'location']) {
    reply.removeHeader(name);
  }
  reply
    .code(problem.status)
    .headers({ ...problem.headers, 'cache-control': 'no-store' })
    .type(problemMediaType);
  return reply.send(JSON.stringify({ ...problem.toJSON(), requestId: request.id }));
}

const clientErrors: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'expected the whole request in time, got only a part of it'],
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'expected a shorter request line and fewer or shorter header fields'],
};

/** Answers bytes that never became a request (bad HTTP, too slow, too long) and closes the connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket, log?: FastifyBaseLogger): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  log?.debug({ code: error.code }, 'connection sent something that is not a request');
  const [code, detail] = clientErrors[error.code ?? ''] ?? [
    'malformed-request',
    'expected HTTP/1.1, got something else',
  ];
  const problem = new ApiProblem(code, detail);
  const body = JSON.stringify(problem.toJSON());
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nContent-Type: ${problemMediaType}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}
