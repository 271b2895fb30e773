import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { addressOf } from '../admission/client.ts';
import type { ApiServer } from '../api-types.ts';
import type { ApiContext } from '../dependencies.ts';
import { ConnectionLimit } from '../events/connection-limit.ts';
import { eventIdOf, isSettled, rowEvents } from '../events/row-events.ts';
import { notRequested } from '../problems/absence.ts';
import { ApiProblem } from '../problems/problem.ts';
import { requireFormat } from '../representation/require-format.ts';
import { numberQuery, parseNumber } from '../schemas/number.ts';
import { content, noContent, problemResponses } from '../schemas/responses.ts';

const schema = {
  operationId: 'followFactorial',
  tags: ['factorial'],
  summary: 'Progress as server-sent events',
  description:
    'Events `progress`, then `done` or `failed` and the end; the data of each is the metadata. `Last-Event-ID` goes on after a break.',
  querystring: numberQuery,
  headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 128 })) }),
  response: {
    200: content('The events.', { 'text/event-stream': Type.String() }),
    204: noContent('The client has seen the last event; stop reconnecting.'),
    ...problemResponses(
      'invalid-number',
      'missing-parameter',
      'unknown-parameter',
      'not-requested',
      'not-acceptable',
      'too-many-streams',
    ),
  },
};

/** `GET /factorial/events?number=X` */
export function registerEvents(app: ApiServer, context: ApiContext): void {
  const { metadata, options } = context;
  const limit = new ConnectionLimit(options.eventMaxConnections, options.eventMaxConnectionsPerClient);
  const pacing = {
    pollMs: options.eventPollMs,
    heartbeatMs: options.eventHeartbeatMs,
    maxMs: options.eventMaxSeconds * 1000,
  };
  app.route({
    method: 'GET',
    url: '/factorial/events',
    schema,
    handler: async (request, reply) => {
      requireFormat(request, ['text/event-stream']);
      const n = parseNumber(request.query.number);
      const row = await metadata.find(n);
      if (row === undefined) throw notRequested(n);
      const lastEventId = request.headers['last-event-id'];
      // 204 is what tells an EventSource not to come back.
      if (isSettled(row) && lastEventId === eventIdOf(row)) return reply.code(204).send();
      const leave = limit.enter(addressOf(request));
      if (leave === undefined) throw tooManyStreams(options.retryAfterMaxSeconds);
      const gone = whenGone(reply, leave);
      const events = rowEvents(row, metadata, pacing, lastEventId, AbortSignal.any([gone, context.closing]));
      reply.header('x-accel-buffering', 'no').type('text/event-stream; charset=utf-8');
      return reply.send(Readable.from(events, { objectMode: false }));
    },
  });
}

/** Aborts when the connection closes, however it does; `leave` is called then. */
function whenGone(reply: FastifyReply, leave: () => void): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    leave();
    gone.abort(new Error('the client left'));
  });
  return gone.signal;
}

function tooManyStreams(retryAfterSeconds: number): ApiProblem {
  return new ApiProblem(
    'too-many-streams',
    'expected a free event stream, got none: all are in use; poll /factorial/metadata instead',
    {},
    { headers: { 'retry-after': String(retryAfterSeconds) } },
  );
}
