import { createHash } from 'node:crypto';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi, problemCatalogue } from '../src/index.ts';
import { type Harness, startHarness, trueDigits } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
  await harness.store(30n, Buffer.from(trueDigits(30n)));
});
afterAll(() => harness.close());

describe('probes', () => {
  it('say that the process is alive and everything behind it answers', async () => {
    expect((await harness.app.inject('/healthz')).json()).toEqual({ status: 'ok' });
    const response = await harness.app.inject('/readyz');
    expect(response.statusCode).toBe(200);
    expect(response.json().status).toBe('ready');
    expect(response.json().checks.map(({ name, ok }: { name: string; ok: boolean }) => `${name} ${ok}`)).toEqual([
      'metadata true',
      'schema true',
      'objects true',
      'queue true',
      'cache true',
    ]);
  });

  it('name what does not answer, 503, within the bound, while the process stays alive', async () => {
    const local = await startHarness();
    const never = { name: 'elsewhere', ping: () => new Promise<void>(() => {}), required: true };
    const app = await createApi({ ...local.deps, readiness: [never] }, { readinessTimeoutMs: 50 });
    const response = await app.inject('/readyz');
    expect(response.statusCode).toBe(503);
    const broken = response.json().checks.filter(({ ok }: { ok: boolean }) => !ok);
    expect(broken).toEqual([{ name: 'elsewhere', ok: false, required: true, error: expect.stringContaining('50 ms') }]);
    await local.deps.metadata.close();
    const closed = (await app.inject('/readyz')).json().checks;
    expect(closed.find(({ name }: { name: string }) => name === 'metadata')).toMatchObject({
      ok: false,
      error: 'TransientError',
    });
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    await app.close();
    await local.close();
  });

  it('stay ready, and say so, without a service that is not required', async () => {
    const optional = { name: 'optional', ping: () => Promise.reject(new Error('down')), required: false };
    const app = await createApi({ ...harness.deps, readiness: [optional] });
    const response = await app.inject('/readyz');
    expect([response.statusCode, response.json().status]).toEqual([200, 'degraded']);
    await app.close();
  });
});

describe('a backing service that is down', () => {
  it('is a 503 problem with Retry-After, never a 500 or a stack', async () => {
    const local = await startHarness();
    await local.deps.metadata.close();
    for (const [method, url, payload] of [
      ['GET', '/factorial?number=4000', undefined],
      ['GET', '/factorial/metadata?number=4000', undefined],
      ['GET', '/factorial/digits?number=4000', undefined],
      ['GET', '/factorial/list', undefined],
      ['GET', '/factorial/events?number=4000', undefined],
      ['DELETE', '/factorial?number=4000', undefined],
      ['POST', '/factorial', { number: 4000 }],
    ] as const) {
      const response = await local.app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
      expect([url, response.statusCode, response.json().type]).toEqual([url, 503, '/problems/unavailable']);
      expect(response.headers['retry-after']).toBe('5');
      expect(response.body).not.toContain('closed');
    }
    expect((await local.app.inject('/factorial?number=20')).statusCode).toBe(200);
    await local.close();
  });
});

describe('the description of the API', () => {
  interface Operation {
    readonly operationId?: string;
    readonly responses: Record<string, unknown>;
  }
  interface Document {
    readonly openapi: string;
    readonly paths: Record<string, Record<string, Operation>>;
  }
  const readDocument = async (): Promise<Document> => (await harness.app.inject('/openapi.json')).json();

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const result = await validator.validate((await readDocument()) as unknown as Record<string, unknown>);
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  it('lists exactly the routes there are', async () => {
    const { paths } = await readDocument();
    const listed = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(listed.sort()).toEqual(
      [
        'POST /factorial',
        'GET /factorial',
        'HEAD /factorial',
        'DELETE /factorial',
        'GET /factorial/metadata',
        'HEAD /factorial/metadata',
        'GET /factorial/digits',
        'HEAD /factorial/digits',
        'GET /factorial/estimate',
        'GET /factorial/events',
        'GET /factorial/list',
        'GET /healthz',
        'GET /metrics',
        'GET /readyz',
        'GET /problems/{code}',
        'GET /openapi.json',
      ].sort(),
    );
    for (const route of listed) {
      const [method, path = ''] = route.split(' ');
      expect(harness.app.hasRoute({ method: method as 'GET', url: path.replace('{code}', ':code') })).toBe(true);
    }
  });

  it('gives every operation a name of its own, and documents the status that a sound request gets', async () => {
    const { paths } = await readDocument();
    const names = Object.values(paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
    expect(new Set(names).size).toBe(names.length);
    expect(names).not.toContain(undefined);
    for (const [path, item] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(item)) {
        const needsNumber = path.startsWith('/factorial') && path !== '/factorial/list' && method !== 'post';
        const response = await harness.app.inject({
          method: method.toUpperCase() as 'GET',
          url: path.replace('{code}', 'not-requested') + (needsNumber ? '?number=30' : ''),
          ...(method === 'post' ? { payload: { number: 30 } } : {}),
        });
        expect([path, method, Object.keys(operation.responses)]).toEqual([
          path,
          method,
          expect.arrayContaining([String(response.statusCode)]),
        ]);
        expect(response.statusCode).toBe(method === 'delete' ? 409 : 200);
      }
    }
  });

  it('has a viewer that needs no other host', async () => {
    const page = await harness.app.inject('/docs/');
    expect(page.statusCode).toBe(200);
    expect(page.body).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.headers['content-security-policy']).not.toContain('upgrade-insecure-requests');
    for (const [, file] of page.body.matchAll(/(?:src|href)="\.\/([^"]+)"/g)) {
      expect([file, (await harness.app.inject(`/docs/${file}`)).statusCode]).toEqual([file, 200]);
    }
  });

  it('explains every problem type under its own URI', async () => {
    for (const [code, [status, title]] of Object.entries(problemCatalogue)) {
      const response = await harness.app.inject(`/problems/${code}`);
      expect(response.json()).toMatchObject({ type: `/problems/${code}`, status, title });
    }
  });
});

describe('the web page', () => {
  it('and its files come from this server under a strict policy, and are revalidated', async () => {
    const page = await harness.app.inject('/');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:/);
    expect(page.body).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page.body).not.toMatch(/<script(?![^>]*src=)|<style|style="|onclick=/);
    const files = [...page.body.matchAll(/(?:src|href)="(\/web\/[^"]+)"/g)].map(([, file]) => String(file));
    expect(files.sort()).toEqual(['/web/app.js', '/web/icon.svg', '/web/style.css']);
    for (const file of ['/', ...files]) {
      const response = await harness.app.inject(file);
      expect(response.statusCode).toBe(200);
      const again = await harness.app.inject({
        url: file,
        headers: { 'if-none-match': String(response.headers.etag) },
      });
      expect([again.statusCode, again.headers['cache-control']]).toEqual([304, 'no-cache']);
    }
  });
});

describe('every answer', () => {
  it.each([
    '/',
    '/healthz',
    '/factorial?number=30',
    '/factorial?number=x',
    '/nothing',
    '/docs/',
    '/openapi.json',
    '/%',
  ])('from %s carries security headers and a request id of its own', async (url) => {
    const response = await harness.app.inject({ url, headers: { 'x-request-id': 'forged' } });
    expect(response.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(response.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('with digits from memory has the very headers of its HEAD, those of the rate limit too', async () => {
    const limited = await startHarness({ rateLimitPerMinute: 100 });
    const url = '/factorial?number=30';
    await limited.app.inject(url);
    const [head, get] = [await limited.app.inject({ method: 'HEAD', url }), await limited.app.inject(url)];
    const comparable = ({ headers }: typeof get) => ({
      ...headers,
      date: '',
      'x-request-id': '',
      'x-ratelimit-remaining': '',
      'x-ratelimit-reset': '',
    });
    expect(comparable(get)).toEqual(comparable(head));
    expect(get.headers).toMatchObject({ 'x-cache': 'HIT', vary: 'Accept', 'x-ratelimit-limit': '100' });
    expect(Number(get.headers['x-ratelimit-remaining'])).toBe(Number(head.headers['x-ratelimit-remaining']) - 1);
    await limited.close();
  });
});

describe('API keys', () => {
  const plain = 'a-key-of-some-length';
  const hashed = `sha256:${createHash('sha256').update('another-key-of-length').digest('hex')}`;
  let guarded: Harness;
  beforeAll(async () => {
    guarded = await startHarness({ apiKeys: [plain, hashed] });
  });
  afterAll(() => guarded.close());
  const post = (headers: Record<string, string>) =>
    guarded.app.inject({ method: 'POST', url: '/factorial', headers, payload: { number: 30 } });

  it.each([
    [{ authorization: `Bearer ${plain}` }],
    [{ authorization: `bearer   ${plain}` }],
    [{ 'x-api-key': plain }],
    [{ 'x-api-key': 'another-key-of-length' }],
  ])('let %j through', async (headers) => {
    expect((await post(headers as Record<string, string>)).statusCode).toBe(202);
  });

  it.each([
    [{}],
    [{ authorization: 'Bearer' }],
    [{ authorization: `Basic ${plain}` }],
    [{ authorization: `Bearer ${plain} x` }],
    [{ 'x-api-key': '' }],
    [{ 'x-api-key': plain.slice(0, -1) }],
    [{ 'x-api-key': hashed }],
    [{ 'x-api-key': hashed.slice(7) }],
  ])('keep %j out with 401', async (headers) => {
    const response = await post(headers as Record<string, string>);
    expect([response.statusCode, response.json().type]).toEqual([401, '/problems/unauthorized']);
    expect(response.headers['www-authenticate']).toContain('Bearer');
    expect(response.body).not.toContain(plain);
  });

  it('are asked for before the body is judged, on DELETE as well, and not for reading', async () => {
    expect((await guarded.app.inject({ method: 'POST', url: '/factorial', payload: 'x' })).statusCode).toBe(401);
    expect((await guarded.app.inject({ method: 'DELETE', url: '/factorial?number=30' })).statusCode).toBe(401);
    expect((await guarded.app.inject('/factorial?number=30')).statusCode).toBe(200);
    expect((await guarded.app.inject('/factorial/list')).statusCode).toBe(200);
  });
});

describe('the rate limit', () => {
  it('refuses with 429 and Retry-After, counts unknown paths and wrong keys, and spares the probes', async () => {
    const limited = await startHarness({ rateLimitPerMinute: 4, apiKeys: ['a-key-of-some-length'] });
    const answers = [
      await limited.app.inject('/factorial?number=30'),
      await limited.app.inject('/nothing'),
      await limited.app.inject({ method: 'POST', url: '/factorial', payload: { number: 5 } }),
      await limited.app.inject('/factorial/list'),
      await limited.app.inject('/factorial?number=30'),
      await limited.app.inject({ method: 'POST', url: '/factorial', payload: { number: 5 } }),
      await limited.app.inject('/nothing'),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 404, 401, 200, 429, 429, 429]);
    expect(answers[4]!.json()).toMatchObject({ type: '/problems/rate-limited', allowed: '4 per minute' });
    expect(Number(answers[4]!.headers['retry-after'])).toBeGreaterThan(0);
    for (let request = 0; request < 10; request++) {
      expect((await limited.app.inject('/healthz')).statusCode).toBe(200);
      expect((await limited.app.inject('/readyz')).statusCode).toBe(200);
    }
    await limited.close();
  });

  it.each([
    [false, [200, 429]],
    [['127.0.0.1'], [200, 200]],
  ] as const)('believes X-Forwarded-For only from a trusted proxy (%j)', async (trustProxy, expected) => {
    const limited = await startHarness({ rateLimitPerMinute: 1, trustProxy });
    const from = (address: string) =>
      limited.app.inject({ url: '/factorial/list', headers: { 'x-forwarded-for': address } });
    expect([(await from('192.0.2.1')).statusCode, (await from('192.0.2.2')).statusCode]).toEqual(expected);
    await limited.close();
  });
});

describe('the log', () => {
  it('of warnings alone has no line of a good request, and the id on a line of a bad one; its level can change', async () => {
    const { default: pino } = await import('pino');
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const local = await startHarness({}, { logger });
    await local.app.inject('/factorial?number=30');
    expect(lines).toEqual([]);
    await local.deps.metadata.close();
    const failed = await local.app.inject('/factorial/metadata?number=30');
    const told = lines.map((line) => JSON.parse(line)).filter(({ reqId }) => reqId !== undefined);
    expect(told).toMatchObject([{ level: 50, reqId: failed.headers['x-request-id'], msg: 'request failed' }]);
    logger.level = 'info';
    lines.length = 0;
    const { headers } = await local.app.inject('/healthz');
    const ids = lines.map((line) => JSON.parse(line).reqId);
    expect(new Set(ids)).toEqual(new Set([headers['x-request-id']]));
    await local.close();
  });

  it('tells of each request by id, without bodies and keys', async () => {
    const { default: pino } = await import('pino');
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    const local = await startHarness({ apiKeys: ['a-key-of-some-length'] }, { logger });
    const response = await local.app.inject({
      method: 'POST',
      url: '/factorial',
      headers: { 'x-api-key': 'a-key-of-some-length' },
      payload: { number: 31_337 },
    });
    const text = lines.join('');
    expect(text).toContain(String(response.headers['x-request-id']));
    expect(text).toContain('"url":"/factorial"');
    expect(text).not.toContain('a-key-of-some-length');
    expect(text).not.toContain('31337');
    await local.close();
  });
});
