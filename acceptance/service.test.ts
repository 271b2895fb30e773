import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { golden } from './golden.ts';
import { Product, temporaryFolder } from './product.ts';

const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

describe('the service, started with npm start', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let product: Product;

  beforeAll(async () => {
    folder = await temporaryFolder();
    product = await Product.start(folder.path);
  });

  afterAll(async () => {
    await product.stop();
    await folder.remove();
  });

  it('computes 20,000! on request and serves its 77,338 exact digits', async () => {
    const accepted = await product.request(20_000);
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('location')).toContain('/factorial/metadata?number=20000');
    expect(Number(accepted.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const row = await product.settled(20_000);
    expect(row).toMatchObject({ status: 'done', digits: '77338', size: '77338', checksum: golden(20_000).sha256 });

    const answer = await fetch(`${product.url}/factorial?number=20000`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    const digits = await answer.text();
    expect(digits).toHaveLength(77_338);
    expect(sha256(digits)).toBe('eaae0cdb4ba46ca603da90766b63f69dd6cbd25340725ce15ba373d99aea5cf6');

    const head = await fetch(`${product.url}/factorial?number=20000`, { headers: { range: 'bytes=0-9' } });
    expect(head.status).toBe(206);
    expect(await head.text()).toBe('1819206320');
    expect(head.headers.get('content-range')).toBe('bytes 0-9/77338');

    const again = await product.request(20_000);
    expect(again.status).toBe(200);
  });

  it('answers a conditional request without digits, and a range past the end with the length', async () => {
    const first = await fetch(`${product.url}/factorial/digits?number=20000`, { method: 'HEAD' });
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toContain(golden(20_000).sha256.slice(0, 16));
    expect(first.headers.get('content-length')).toBe('77338');
    expect(first.headers.get('repr-digest')).toBe(
      `sha-256=:${Buffer.from(golden(20_000).sha256, 'hex').toString('base64')}:`,
    );
    const unchanged = await fetch(`${product.url}/factorial/digits?number=20000`, {
      headers: { 'if-none-match': etag },
    });
    expect(unchanged.status).toBe(304);
    const beyond = await fetch(`${product.url}/factorial/digits?number=20000`, { headers: { range: 'bytes=77338-' } });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('content-range')).toBe('bytes */77338');
  });

  it('answers tiny n at once without being asked before', async () => {
    const answer = await fetch(`${product.url}/factorial?number=20`);
    expect(await answer.text()).toBe('2432902008176640000');
  });

  it.each([1234, 5000, 9999, 50_000, 65_536, 100_000, 250_000])('serves every digit of %d! as published', async (n) => {
    await product.request(n);
    expect(await product.settled(n)).toMatchObject({ status: 'done', checksum: golden(n).sha256 });
    const digits = new Uint8Array(await (await fetch(`${product.url}/factorial/digits?number=${n}`)).arrayBuffer());
    expect(digits).toHaveLength(golden(n).digits);
    expect(sha256(digits)).toBe(golden(n).sha256);
  });

  it('calculates once when many ask at once, and keeps one object', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => product.request(30_000)));
    expect(answers.every(({ status }) => status === 202 || status === 200)).toBe(true);
    await product.settled(30_000);
    const files = await readdir(join(folder.path, 'objects'), { recursive: true });
    expect(files.filter((name) => /\b30000\/.*\.txt$/.test(name))).toHaveLength(1);
  });

  it('does not let a long calculation stand before a short one', async () => {
    await product.request(3_000_000);
    await product.request(2500);
    expect((await product.settled(2500)).status).toBe('done');
    expect((await product.metadata(3_000_000)).status).not.toBe('failed');
  });

  it('is healthy, ready and describes itself', async () => {
    expect((await fetch(`${product.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${product.url}/readyz`)).status).toBe(200);
    const description = (await (await fetch(`${product.url}/openapi.json`)).json()) as {
      openapi: string;
      paths: object;
    };
    expect(description.openapi).toMatch(/^3\.1/);
    expect(Object.keys(description.paths)).toContain('/factorial');
    expect((await fetch(`${product.url}/docs/`)).status).toBe(200);
  });

  it('lists what it stored, newest first', async () => {
    const list = (await (await fetch(`${product.url}/factorial/list?limit=3`)).json()) as {
      items: { createdAt: string }[];
    };
    expect(list.items).toHaveLength(3);
    const times = list.items.map(({ createdAt }) => Date.parse(createdAt));
    expect(times).toEqual([...times].sort((a, b) => b - a));
  });
});
