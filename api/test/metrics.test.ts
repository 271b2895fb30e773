import { newMetricsRegistry } from '@factorial/backing/metrics';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApi } from '../src/index.ts';
import { type Harness, startHarness, testBudget, trueDigits } from './harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.close());

const scrape = async () => (await harness.app.inject('/metrics')).body;
/** Lines of one metric, comments left out. */
const series = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(name));
const countOf = (text: string, labels: string) =>
  series(text, `factorial_http_request_duration_seconds_count{${labels}}`).map((line) => line.split(' ').at(-1));

describe('GET /metrics', () => {
  it('is the text format of Prometheus: help, type and samples, nothing else', async () => {
    const response = await harness.app.inject('/metrics');
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(response.headers['cache-control']).toBe('no-store');
    const line = /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="[^"]*",?)+\})? (-?[0-9.e+-]+|\+Inf|NaN))$/;
    expect(
      response.body
        .trimEnd()
        .split('\n')
        .filter((text) => text !== '' && !line.test(text)),
    ).toEqual([]);
  });

  it('counts answers by method, route and status, and where digits came from', async () => {
    await harness.store(30_000n, Buffer.from(trueDigits(30_000n)));
    const get = async (url: string) => (await harness.app.inject(url)).headers['x-cache'];
    expect([await get('/factorial?number=30000'), await get('/factorial?number=30000')]).toEqual(['MISS', 'HIT']);
    expect(await get('/factorial?number=7')).toBe('COMPUTED');
    await harness.app.inject('/factorial?number=minus');
    const text = await scrape();
    expect(countOf(text, 'method="GET",route="/factorial",status="200"')).toEqual(['3']);
    expect(countOf(text, 'method="GET",route="/factorial",status="400"')).toEqual(['1']);
    for (const cache of ['hit', 'miss', 'computed']) {
      expect(series(text, `factorial_digit_reads_total{cache="${cache}"}`)).toEqual([
        `factorial_digit_reads_total{cache="${cache}"} 1`,
      ]);
    }
  });

  it('has no more series however many addresses, methods and numbers clients invent', async () => {
    for (const url of ['/', '/factorial?number=1', '/nowhere', '/factorial/metadata?number=5'])
      await harness.app.inject(url);
    await harness.app.inject({ method: 'PUT', url: '/factorial' });
    const before = series(await scrape(), 'factorial_http').length;
    for (let index = 0; index < 50; index += 1) {
      await harness.app.inject(`/nowhere/${index}`);
      await harness.app.inject({ method: 'PUT', url: `/else/${index}` });
      await harness.app.inject(`/factorial?number=${index}`);
      await harness.app.inject(`/factorial/metadata?number=${index + 1_000}`);
    }
    // The scrape before has a series of its own by now.
    const own = series(await scrape(), 'factorial_http').filter((line) => line.includes('route="/metrics"')).length;
    expect(series(await scrape(), 'factorial_http').length - own).toBe(before);
  });

  it('tells what is stored and promised, and which services answer', async () => {
    const { size } = await harness.store(5_000n, Buffer.from(trueDigits(5_000n)));
    const { digits } = await harness.request(6_000n);
    const text = await scrape();
    expect(series(text, 'factorial_store_bytes')).toEqual([
      `factorial_store_bytes{state="stored"} ${size}`,
      `factorial_store_bytes{state="reserved"} ${digits}`,
    ]);
    expect(series(text, 'factorial_backing_service_up').map((line) => line.split(' ')[1])).toEqual([
      '1',
      '1',
      '1',
      '1',
      '1',
    ]);
  });

  it('goes on without the database: the service is told to be away, and its sums are left out', async () => {
    await harness.store(5_000n, Buffer.from(trueDigits(5_000n)));
    expect(series(await scrape(), 'factorial_store_bytes')).toHaveLength(2);
    await harness.deps.metadata.close();
    const text = await scrape();
    expect(series(text, 'factorial_backing_service_up{service="metadata"}')).toEqual([
      'factorial_backing_service_up{service="metadata"} 0',
    ]);
    expect(series(text, 'factorial_store_bytes')).toEqual([]);
  });

  it('is bounded in time while a service hangs', async () => {
    const never = { name: 'elsewhere', ping: () => new Promise<void>(() => undefined), required: true };
    const metrics = newMetricsRegistry();
    const app = await createApi(
      { ...harness.deps, readiness: [never], metrics },
      { budget: testBudget, readinessTimeoutMs: 50 },
    );
    const response = await app.inject('/metrics');
    expect(series(response.body, 'factorial_backing_service_up{service="elsewhere"}')[0]).toMatch(/ 0$/);
    await app.close();
  });
});
