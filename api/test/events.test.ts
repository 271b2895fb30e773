import { once } from 'node:events';
import { get as httpGet, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, sha256, startHarness, trueDigits } from './harness.ts';

const n = 2_500n;
const digits = Buffer.from(trueDigits(n), 'latin1');

let harness: Harness;
let port: number;
beforeEach(async () => {
  harness = await startHarness({
    eventPollMs: 10,
    eventHeartbeatMs: 50,
    eventMaxConnections: 3,
    eventMaxConnectionsPerClient: 2,
  });
  await harness.app.listen({ port: 0, host: '127.0.0.1' });
  port = (harness.app.server.address() as AddressInfo).port;
});
afterEach(async () => {
  harness.app.server.closeAllConnections();
  await harness.close();
});

async function open(headers: Record<string, string> = {}, number = n): Promise<IncomingMessage> {
  const [response] = await once(httpGet({ port, path: `/factorial/events?number=${number}`, headers }), 'response');
  return response as IncomingMessage;
}

interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: { readonly status: string; readonly progress: { readonly done: number } | null };
}

/** Events as they come; comments are counted. */
async function* eventsOf(response: IncomingMessage, comments = { count: 0 }): AsyncGenerator<Event> {
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      if (block.startsWith(':')) comments.count += 1;
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
      if ('event' in fields) yield { id: fields.id, event: fields.event, data: JSON.parse(fields.data) };
    }
  }
}

async function allEvents(): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of eventsOf(await open())) events.push(event);
  return events;
}

describe('GET /factorial/events', () => {
  it('tells each state from queued to done, and ends', async () => {
    await harness.request(n);
    const response = await open();
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(response.headers['cache-control']).toBe('no-store');
    const seen: string[] = [];
    const { metadata, objects } = harness.deps;
    let claim: Awaited<ReturnType<Harness['claim']>> | undefined;
    for await (const { event, data } of eventsOf(response)) {
      seen.push(`${event} ${data.status} ${data.progress?.done ?? '-'}`);
      if (data.status === 'queued') claim = await harness.claim(n);
      if (claim === undefined) continue;
      if (data.status === 'calculating' && data.progress === null) {
        await metadata.renew(claim, 60_000, { phase: 'product', done: 3, total: 10 });
      } else if (data.status === 'calculating') await metadata.markUploading(claim);
      else if (data.status === 'uploading') {
        const source = (async function* () {
          yield new Uint8Array(digits);
        })();
        await objects.sink(claim.objectKey).write({ digits: source, digitCount: BigInt(digits.length) });
        await metadata.complete(claim, { size: BigInt(digits.length), checksum: sha256(digits) });
      }
    }
    expect(seen[0]).toBe('progress queued -');
    expect(seen).toContain('progress calculating 3');
    expect(seen.some((line) => line.startsWith('progress uploading'))).toBe(true);
    expect(seen.at(-1)).toMatch(/^done done/);
  });

  it('tells that a request waits for memory, and why', async () => {
    await harness.request(n);
    const { metadata } = harness.deps;
    const stream = eventsOf(await open());
    expect((await stream.next()).value).toMatchObject({ data: { status: 'queued', progress: null } });
    await metadata.noteWaiting(n, 1, { phase: 'waiting', done: 0, total: 5, reason: 'needs more' });
    const { value } = await stream.next();
    expect(value).toMatchObject({
      event: 'progress',
      data: { status: 'queued', progress: { phase: 'waiting', reason: 'needs more' } },
    });
    await metadata.cancel(n);
    expect((await stream.next()).value).toMatchObject({ event: 'failed' });
  });

  it('ends with the reason of a failure', async () => {
    await harness.request(n);
    await harness.deps.metadata.cancel(n);
    const events = await allEvents();
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ event: 'failed', data: { status: 'failed', error: { code: 'cancelled' } } });
  });

  it('does not repeat the state a client has seen, and tells it to stay away after the last', async () => {
    await harness.request(n);
    const stream = eventsOf(await open());
    const first = (await stream.next()).value as Event;
    await stream.return(undefined);
    const comments = { count: 0 };
    const again = eventsOf(await open({ 'last-event-id': first.id }), comments);
    const next = again.next();
    await harness.claim(n);
    expect(((await next).value as Event).data.status).toBe('calculating');
    await again.return(undefined);
    await harness.deps.metadata.cancel(n);
    const [last] = await allEvents();
    expect((await open({ 'last-event-id': last!.id })).statusCode).toBe(204);
  });

  it('keeps a quiet connection alive with comments', async () => {
    await harness.request(n);
    const comments = { count: 0 };
    const stream = eventsOf(await open(), comments);
    await stream.next();
    const pending = stream.next();
    for (let waited = 0; comments.count < 2 && waited < 200; waited++) await new Promise((go) => setTimeout(go, 20));
    expect(comments.count).toBeGreaterThanOrEqual(2);
    await harness.deps.metadata.cancel(n);
    expect(((await pending).value as Event).event).toBe('failed');
  });

  it('bounds the open streams of a client, and frees a place when one closes', async () => {
    await harness.request(n);
    const [first] = [await open(), await open()];
    const refused = await open();
    expect(refused.statusCode).toBe(503);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    first.destroy();
    await new Promise((go) => setTimeout(go, 100));
    expect((await open()).statusCode).toBe(200);
  });

  it('is 404 for an n nobody requested', async () => {
    expect((await open({}, 4_321n)).statusCode).toBe(404);
  });

  it('ends all streams when the server closes, and the close does not wait for idle connections', async () => {
    await harness.request(n);
    const stream = eventsOf(await open());
    await stream.next();
    const startedAt = performance.now();
    const closing = harness.app.close();
    expect((await stream.next()).done).toBe(true);
    await closing;
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
