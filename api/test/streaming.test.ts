import { once } from 'node:events';
import { get as httpGet, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectStore } from '@factorial/backing';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../src/index.ts';
import { type Harness, sha256, standInDigits, startHarness } from './harness.ts';

// 59 million digits: far more than all the socket buffers between the two ends can grow to.
const n = 9_000_000n;
const digits = standInDigits(n);

/** Watches what is read from the store: bytes handed out, and readers that ended. */
interface Watched {
  readonly objects: ObjectStore;
  bytesRead: number;
  open: number;
}

function watched(objects: ObjectStore): Watched {
  const watch: Watched = { objects, bytesRead: 0, open: 0 };
  const read: ObjectStore['read'] = async (key, range, signal) => {
    const source = await objects.read(key, range, signal);
    watch.open += 1;
    return (async function* () {
      try {
        for await (const chunk of source) {
          watch.bytesRead += chunk.length;
          yield chunk;
        }
      } finally {
        watch.open -= 1;
      }
    })();
  };
  return Object.assign(watch, {
    objects: {
      sink: (key: string) => objects.sink(key),
      stat: (key: string) => objects.stat(key),
      read,
      checksum: (key: string) => objects.checksum(key),
      presign: (key: string, ttlSeconds: number) => objects.presign(key, ttlSeconds),
      list: () => objects.list(),
      remove: (key: string) => objects.remove(key),
      sweepUnfinished: (olderThanMs: number) => objects.sweepUnfinished(olderThanMs),
      freeBytes: () => objects.freeBytes(),
      ping: () => objects.ping(),
      close: () => objects.close(),
    },
  });
}

let harness: Harness;
let app: FastifyInstance;
let store: Watched;
let port: number;

beforeAll(async () => {
  harness = await startHarness();
  await harness.store(n, digits);
  store = watched(harness.deps.objects);
  app = await createApi(
    { ...harness.deps, objects: store.objects },
    { rateLimitPerMinute: 0, connectionIdleMs: 20_000 },
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  port = (app.server.address() as AddressInfo).port;
});
afterAll(async () => {
  app.server.closeAllConnections();
  await app.close();
  await harness.close();
});

const path = `/factorial/digits?number=${n}`;

const opened: IncomingMessage[] = [];

async function open(headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const [response] = (await once(httpGet({ port, path, headers }), 'response')) as [IncomingMessage];
  opened.push(response);
  return response;
}

afterEach(async () => {
  for (const response of opened.splice(0)) response.destroy();
  await until('no open reader', () => store.open === 0);
});

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Waits until the condition holds; fails after twenty seconds. */
async function until(what: string, condition: () => boolean): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 20) {
    if (waitedMs > 20_000) throw new Error(`expected ${what} within 20 s`);
    await delay(20);
  }
}

/** The value once it has not changed for half a second. */
async function settled(read: () => number): Promise<number> {
  for (let value = read(); ; ) {
    await delay(500);
    if (read() === value) return value;
    value = read();
  }
}

describe('digits over a socket', () => {
  it('arrive whole, with their exact length and without chunked coding', async () => {
    const response = await open();
    expect(response.headers['content-length']).toBe(String(digits.length));
    expect(response.headers['transfer-encoding']).toBeUndefined();
    expect(sha256(await bodyOf(response))).toBe(sha256(digits));
  });

  it('arrive in ranges that join to the whole', async () => {
    const middle = 31_111_111;
    const first = await bodyOf(await open({ range: `bytes=0-${middle - 1}` }));
    const second = await bodyOf(await open({ range: `bytes=${middle}-` }));
    expect(sha256(Buffer.concat([first, second]))).toBe(sha256(digits));
  });

  it('are read from the store no faster than a slow client takes them', async () => {
    const before = store.bytesRead;
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await until('a reader', () => store.open === 1);
    // Nobody reads the socket yet: what was read from the store is in buffers on the way.
    const early = await settled(() => store.bytesRead - before);
    expect(early).toBeGreaterThan(0);
    expect(early).toBeLessThan(digits.length / 2);
    const answer = Buffer.concat(await socket.toArray());
    expect(sha256(answer.subarray(answer.indexOf('\r\n\r\n') + 4))).toBe(sha256(digits));
  });

  it('stop being read when the client leaves, and the file is closed', async () => {
    const before = store.bytesRead;
    const response = await open();
    await once(response, 'readable');
    expect(store.open).toBe(1);
    response.destroy();
    await until('the reader to end', () => store.open === 0);
    expect(store.bytesRead - before).toBeLessThan(digits.length);
  });

  it('stop being waited for when the client leaves before the store has answered', async () => {
    let asked = 0;
    let stopped = 0;
    const waiting: ObjectStore = {
      ...store.objects,
      read: (_key, _range, signal) =>
        new Promise((_resolve, reject) => {
          asked += 1;
          signal?.addEventListener('abort', () => {
            stopped += 1;
            reject(signal.reason);
          });
        }),
    };
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const local = await createApi({ ...harness.deps, objects: waiting, logger });
    await local.listen({ port: 0, host: '127.0.0.1' });
    const request = httpGet({ port: (local.server.address() as AddressInfo).port, path });
    request.on('error', () => request.destroy());
    await until('the store to be asked', () => asked === 1);
    request.destroy();
    await until('the read to be stopped', () => stopped === 1);
    await local.close();
    expect(lines).toEqual([]);
  });

  it('leave nothing open when twenty clients leave at once', async () => {
    const responses = await Promise.all(Array.from({ length: 20 }, () => open()));
    for (const response of responses) response.destroy();
    await until('all readers to end', () => store.open === 0);
    expect((await open({ range: 'bytes=0-0' })).statusCode).toBe(206);
  });

  it('break off, and never look whole, when the object turns out too short', async () => {
    const short = watched(harness.deps.objects);
    const cut: ObjectStore = {
      ...short.objects,
      read: async (key, range) => {
        const source = await harness.deps.objects.read(key, range);
        return (async function* () {
          let left = 1_000_000;
          for await (const chunk of source) {
            yield chunk.subarray(0, left);
            left -= chunk.length;
            if (left <= 0) return;
          }
        })();
      },
    };
    const local = await createApi({ ...harness.deps, objects: cut });
    await local.listen({ port: 0, host: '127.0.0.1' });
    const address = local.server.address() as AddressInfo;
    const [response] = (await once(httpGet({ port: address.port, path }), 'response')) as [IncomingMessage];
    const startedAt = performance.now();
    await expect(bodyOf(response)).rejects.toThrow(/aborted/);
    // At once, and not when some idle connection times out.
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await local.close();
  });

  it('are described by HEAD with the same header fields and no bytes, on a connection that goes on', async () => {
    const socket = connect(port, '127.0.0.1');
    const ask = (method: string, last: boolean) =>
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-4\r\n${last ? 'Connection: close\r\n' : ''}\r\n`;
    socket.write(ask('HEAD', false) + ask('GET', true));
    const text = Buffer.concat(await socket.toArray()).toString('latin1');
    const [head, get, body] = text.split('\r\n\r\n');
    expect(head).toContain('HTTP/1.1 200 OK');
    expect(head).toContain(`content-length: ${digits.length}`);
    expect(get).toContain('HTTP/1.1 206 Partial Content');
    expect(body).toBe(Buffer.from(digits.subarray(0, 5)).toString());
  });
});

describe('closing the server', () => {
  const listening = async (closeDrainMs: number) => {
    const local = await createApi({ ...harness.deps, objects: store.objects }, { closeDrainMs });
    await local.listen({ port: 0, host: '127.0.0.1' });
    const socket = connect((local.server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => socket.destroy());
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until('a reader', () => store.open === 1);
    return { local, socket };
  };

  it('lets an answer under way come to its end', async () => {
    const { local, socket } = await listening(60_000);
    const closed = local.close();
    const answer = Buffer.concat(await socket.toArray());
    expect(sha256(answer.subarray(answer.indexOf('\r\n\r\n') + 4))).toBe(sha256(digits));
    await closed;
  });

  it('does not wait for a client that takes nothing any longer than it was told', async () => {
    const { local, socket } = await listening(100);
    const startedAt = performance.now();
    await local.close();
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await until('the reader to end', () => store.open === 0);
    socket.destroy();
  });
});

describe('connections that misbehave', () => {
  const answerTo = async (bytes: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    socket.write(bytes);
    return Buffer.concat(await socket.toArray()).toString('latin1');
  };

  it('get a problem for what is not HTTP', async () => {
    const answer = await answerTo('hello there\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    expect(answer).toContain('application/problem+json');
    expect(answer).toContain('/problems/malformed-request');
  });

  it('get a problem for header fields without end', async () => {
    const answer = await answerTo(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(40_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('/problems/headers-too-large');
  });

  it('get a problem for a request that does not arrive in time', async () => {
    const local = await createApi(harness.deps, { requestTimeoutMs: 200 });
    await local.listen({ port: 0, host: '127.0.0.1' });
    const socket = connect((local.server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(
      'POST /factorial HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nContent-Type: application/json\r\n\r\n{',
    );
    const answer = Buffer.concat(await socket.toArray()).toString('latin1');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('/problems/request-timeout');
    await local.close();
  });

  it('are cut when the client stops taking digits', async () => {
    const local = await createApi(
      { ...harness.deps, objects: store.objects },
      { connectionIdleMs: 300, eventHeartbeatMs: 100 },
    );
    await local.listen({ port: 0, host: '127.0.0.1' });
    const socket = connect((local.server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(socket, 'readable');
    await until('a reader', () => store.open === 1);
    await until('the reader to end', () => store.open === 0);
    socket.destroy();
    await local.close();
  });

  it('get a problem for a body that is longer than announced room', async () => {
    const request = httpRequest({
      port,
      path: '/factorial',
      method: 'POST',
      headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    });
    request.on('error', () => request.destroy());
    request.write(`{"number": "${'7'.repeat(5_000)}`);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    request.destroy();
  });
});
