import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createRabbitmqCalculationQueue } from '@factorial/backing';
import { computeTinyFactorial } from '@factorial/compute';
import { connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { golden } from '../golden.ts';
import { finished, start } from '../product.ts';
import { type Deployment, eventually, post, settled, startDeployment } from './deployment.ts';
import { expectNothingLost } from './invariants.ts';
import type { ServiceProcess } from './service-process.ts';

const sha256 = (digits: Uint8Array): string => createHash('sha256').update(digits).digest('hex');
const slow = { ENGINE: 'gmp' };

let deployment: Deployment;
let apis: readonly ServiceProcess[];
let workers: readonly ServiceProcess[];
beforeAll(async () => {
  deployment = await startDeployment();
  apis = await Promise.all([deployment.startApi(), deployment.startApi()]);
  workers = await Promise.all([1, 2, 3].map(() => deployment.startWorker(slow)));
}, 180_000);
afterAll(async () => {
  await deployment?.[Symbol.asyncDispose]();
});

function api(index: number): ServiceProcess {
  const chosen = apis[index % apis.length];
  if (chosen === undefined) throw new Error('no API was started');
  return chosen;
}

/** Where a started process says it is. */
function urlOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const match = /Factorial (?:API|worker) .*at (http:\S+)/.exec(text);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
    child.once('close', () => reject(new Error(`expected an address, got ${text}`)));
  });
}

/** Patience for a busy machine; what is promised in seconds is asserted where it is promised. */
const timeout = 300_000;

describe('two APIs and three workers', { timeout }, () => {
  it('take 1,000 requests for 50 numbers at once and calculate each once: 50 rows, 50 objects, each right', async () => {
    const numbers = Array.from({ length: 50 }, (_, index) => 1_501 + 61 * index);
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => post(api(index), numbers[(index * 7) % 50] ?? 0)),
    );
    expect(answers.filter((status) => status !== 202 && status !== 200)).toEqual([]);
    const expected = new Map(numbers.map((n) => [n, sha256(computeTinyFactorial(BigInt(n)))]));
    await expectNothingLost(deployment, api(0), expected);
    const rows = await Promise.all(numbers.map((n) => settled(deployment.metadata, n)));
    expect(rows.map(({ fence, failures, attempt }) => [fence, failures, attempt])).toEqual(
      numbers.map(() => [1n, 0, 1]),
    );
    expect(workers.filter(({ lines }) => lines.some((line) => line.includes('calculation done')))).not.toHaveLength(0);
  });

  it('answer 100! within seconds while a long calculation runs', async () => {
    const long = 30_000_000;
    expect(await post(api(0), long)).toBe(202);
    await eventually('the long one to run', 60_000, async () =>
      (await deployment.metadata.find(BigInt(long)))?.leaseOwner ? true : undefined,
    );
    const startedMs = performance.now();
    await post(api(1), 100);
    expect((await settled(deployment.metadata, 100, 10_000)).status).toBe('done');
    expect(performance.now() - startedMs).toBeLessThan(8_000);
    expect((await deployment.metadata.find(BigInt(long)))?.status).toBe('calculating');
  });

  it('cancel it from the other API: its events end there and here, its worker stops within 2 s', async () => {
    const long = 30_000_000;
    const streams = apis.map(({ url }) =>
      fetch(`${url}/factorial/events?number=${long}`).then((answer) => answer.text()),
    );
    await delay(1_200);
    const deleted = await fetch(`${api(1).url}/factorial?number=${long}`, { method: 'DELETE' });
    const startedMs = performance.now();
    expect(deleted.status).toBe(200);
    const left = workers.map((worker) => worker.said(/"number":30000000,.*"outcome":"stale"/, 5_000));
    await Promise.any(left);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    await Promise.allSettled(left);
    for (const text of await Promise.all(streams)) {
      expect(text).toMatch(/event: progress\n/);
      expect(text.trimEnd().split('\n\n').at(-1)).toMatch(/event: failed\ndata: .*"code":"cancelled"/);
    }
    // Whoever has seen the end already, on whatever instance, is not told again.
    const [, lastId] = /^id: (.*)$/m.exec((await Promise.all(streams))[0]?.split('\n\n').at(-2) ?? '') ?? [];
    const headers = { 'last-event-id': lastId ?? '' };
    const again = await (await fetch(`${api(1).url}/factorial/events?number=${long}`, { headers })).text();
    expect(again).not.toMatch(/event:/);
  });

  it('run by npm as the README says: migrated, started, asked, answered and stopped in order', async () => {
    const npm = (script: string, changes: Readonly<Record<string, string>> = {}) =>
      start('npm', ['run', '--silent', script], {
        env: deployment.environment(changes),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    const migrated = await finished(npm('migrate'));
    expect([migrated.code, migrated.stdout.toString()]).toEqual([0, 'The schema is up to date.\n']);
    const children = [npm('start:api'), npm('start:worker', { WORKER_HEALTH_PORT: '0' })];
    const ends = children.map((child) => finished(child, 240_000));
    const [url, probes] = await Promise.all(children.map(urlOf));
    expect((await fetch(`${probes}/readyz`)).status).toBe(200);
    const body = JSON.stringify({ number: 6_789 });
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(`${url}/factorial`, { method: 'POST', headers, body })).status).toBe(202);
    await settled(deployment.metadata, 6_789);
    const digits = new Uint8Array(await (await fetch(`${url}/factorial?number=6789`)).arrayBuffer());
    expect(sha256(digits)).toBe((await deployment.metadata.find(6_789n))?.checksum);
    // To the whole group, as a terminal sends it: npm itself ends by the signal.
    for (const child of children) process.kill(-(child.pid ?? 0), 'SIGTERM');
    for (const { stdout } of await Promise.all(ends)) expect(stdout.toString()).toContain('"msg":"stopped"');
  });

  it('tell other systems how each request ended', async () => {
    const connection = await connect(deployment.rabbitmq.url);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, 'factorial', 'factorial.*');
    const told: unknown[] = [];
    await channel.consume(queue, (message) => void told.push(JSON.parse(message?.content.toString() ?? 'null')), {
      noAck: true,
    });
    await post(api(0), 4_321);
    const row = await settled(deployment.metadata, 4_321);
    await eventually('the announcement', 5_000, async () => (told.length > 0 ? true : undefined));
    expect(told).toEqual([
      { version: 1, event: 'done', number: '4321', attempt: 1, digits: String(row.size), checksum: row.checksum },
    ]);
    await connection.close();
  });

  it('put garbage aside with its reason and go on', async () => {
    const connection = await connect(deployment.rabbitmq.url);
    const channel = await connection.createConfirmChannel();
    const garbage = ['no JSON', '{"version":1,"number":"-1","attempt":1}', '{"version":9}', ''];
    for (const text of garbage) channel.publish('factorial', 'request.small.quick', Buffer.from(text));
    await channel.waitForConfirms();
    await connection.close();
    await post(api(0), 4_322);
    expect((await settled(deployment.metadata, 4_322)).status).toBe('done');
    const queue = createRabbitmqCalculationQueue({ url: deployment.rabbitmq.url });
    const letters = await eventually('the dead letters', 10_000, async () => {
      const found = await queue.deadLetters(10);
      return found.length === garbage.length ? found : undefined;
    });
    for (const { reason } of letters) expect(reason).toMatch(/expected/);
    await queue.close(0);
  });

  it('serve from Redis, and go on when it forgets everything', async () => {
    const get = async (index: number) => {
      const answer = await fetch(`${api(index).url}/factorial?number=4321`);
      return { cache: answer.headers.get('x-cache'), digits: await answer.text() };
    };
    await post(api(0), 4_321);
    const before = await eventually('a hit', 5_000, async () => {
      const answer = await get(0);
      return answer.cache === 'HIT' ? answer : undefined;
    });
    // Another instance finds what this one put there.
    expect(await get(1)).toEqual(before);
    await flush(deployment.redis.url);
    const missed = await get(1);
    expect(missed).toEqual({ cache: 'MISS', digits: before.digits });
    expect((await get(0)).cache).toBe('HIT');
  });

  it('tell Prometheus of requests, calculations and the services behind them', async () => {
    const scrape = async ({ url }: ServiceProcess) => await (await fetch(`${url}/metrics`)).text();
    await post(api(0), 4_323);
    await settled(deployment.metadata, 4_323);
    expect(await scrape(api(0))).toMatch(
      /^factorial_http_request_duration_seconds_count\{method="POST",route="\/factorial",status="202"\} [1-9]/m,
    );
    const texts = await Promise.all([...apis, ...workers].map(scrape));
    for (const text of texts) {
      expect(text).toMatch(/^process_resident_memory_bytes [1-9]/m);
      const up = text.split('\n').filter((line) => line.startsWith('factorial_backing_service_up'));
      expect(up.map((line) => line.split(' ')[1])).toEqual(['1', '1', '1', '1', '1']);
    }
    expect(texts.join('\n')).toMatch(
      /^factorial_calculation_duration_seconds_count\{lane="small.quick",outcome="done"\} [1-9]/m,
    );
  });

  it('may migrate the database at any time, from several machines at once', async () => {
    const printed = await Promise.all([deployment.migrate(), deployment.migrate(), deployment.migrate()]);
    expect(printed).toEqual(printed.map(() => 'The schema is up to date.\n'));
    const ready = await api(0).readiness();
    expect(ready).toMatchObject({ code: 200, status: 'ready' });
  });

  it('redirect large results to the bucket when told to, and the digits there are the same', async () => {
    const redirecting = await deployment.startApi({ PRESIGN_MIN_BYTES: '100kB' });
    await post(redirecting, 50_000);
    await settled(deployment.metadata, 50_000);
    const answer = await fetch(`${redirecting.url}/factorial/digits?number=50000`, { redirect: 'manual' });
    expect(answer.status).toBe(307);
    const elsewhere = await fetch(answer.headers.get('location') ?? '');
    expect(sha256(new Uint8Array(await elsewhere.arrayBuffer()))).toBe(golden(50_000).sha256);
    expect(await redirecting.stop()).toBe(0);
  });
});

/** FLUSHALL over a connection of its own. */
async function flush(url: string): Promise<void> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url);
  await redis.flushall();
  redis.disconnect();
}
