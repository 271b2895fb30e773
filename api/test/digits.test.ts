import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createMemoryDigitCache, type ObjectStore } from '@factorial/backing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../src/index.ts';
import { type Harness, sha256, startHarness, trueDigits } from './harness.ts';

const n = 6_000n;
const digits = Buffer.from(trueDigits(n), 'latin1');
const tag = `"${sha256(digits)}"`;
const digest = `sha-256=:${createHash('sha256').update(digits).digest('base64')}:`;
const immutable = 'public, max-age=31536000, immutable';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
  await harness.store(n, digits);
});
afterAll(() => harness.close());

const paths = ['/factorial', '/factorial/digits', '/factorial/metadata'] as const;
const textOnly = { accept: 'text/plain' };

describe.each(paths)('digits at GET %s', (path) => {
  const url = `${path}?number=${n}`;
  const get = (headers: Record<string, string> = {}) =>
    harness.app.inject({ url, headers: { ...textOnly, ...headers } });

  it('sends all of them with exact length, strong tag and digest', async () => {
    const response = await get();
    expect(response.statusCode).toBe(200);
    expect(response.rawPayload.equals(digits)).toBe(true);
    expect(response.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(digits.length),
      'accept-ranges': 'bytes',
      etag: tag,
      'repr-digest': digest,
      'cache-control': immutable,
      'content-disposition': `inline; filename="factorial-${n}.txt"`,
    });
  });

  it('describes them at HEAD without sending any, also when a range is asked for', async () => {
    for (const range of [undefined, 'bytes=0-9', 'bytes=999999-']) {
      const headers = range === undefined ? textOnly : { ...textOnly, range };
      const response = await harness.app.inject({ method: 'HEAD', url, headers });
      expect(response.statusCode).toBe(200);
      expect(response.rawPayload).toHaveLength(0);
      expect(response.headers).toMatchObject({
        'content-length': String(digits.length),
        etag: tag,
        'repr-digest': digest,
      });
      expect(response.headers['content-range']).toBeUndefined();
    }
  });

  it('cuts any single range exactly as Buffer.slice does', async () => {
    const position = fc.oneof(
      fc.nat({ max: digits.length + 50 }),
      fc.constantFrom(0, digits.length - 1, digits.length),
    );
    const spec = fc.oneof(
      fc.tuple(position, position).map(([a, b]) => ({ header: `bytes=${a}-${b}`, start: a, end: b, valid: a <= b })),
      position.map((a) => ({ header: `bytes=${a}-`, start: a, end: digits.length - 1, valid: true })),
      position.map((k) => ({
        header: `bytes=-${k}`,
        start: k === 0 ? digits.length : Math.max(0, digits.length - k),
        end: digits.length - 1,
        valid: true,
      })),
    );
    await fc.assert(
      fc.asyncProperty(spec, async ({ header, start, end, valid }) => {
        const response = await get({ range: header });
        if (!valid) {
          expect([response.statusCode, response.rawPayload.equals(digits)]).toEqual([200, true]);
        } else if (start >= digits.length) {
          expect(response.statusCode).toBe(416);
          expect(response.headers['content-range']).toBe(`bytes */${digits.length}`);
          expect(response.json()).toMatchObject({ type: '/problems/range-not-satisfiable', parameter: 'Range' });
        } else {
          const last = Math.min(end, digits.length - 1);
          expect(response.statusCode).toBe(206);
          expect(response.headers['content-range']).toBe(`bytes ${start}-${last}/${digits.length}`);
          expect(response.headers['content-length']).toBe(String(last - start + 1));
          expect(response.rawPayload.equals(digits.subarray(start, last + 1))).toBe(true);
          expect(response.headers).toMatchObject({ etag: tag, 'repr-digest': digest });
        }
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=5-2',
    'bytes=1-2-3',
    'bytes=-1-2',
    'bytes=0x0-5',
    'bytes 0-5',
    'bits=0-5',
    'items=0-5',
    'bytes=0-1,4-5',
    'bytes=0-0,-1',
    'bytes=,',
    `bytes=${'9'.repeat(40)}-`,
  ])('ignores the Range %s and sends everything', async (range) => {
    const response = await get({ range });
    expect([response.statusCode, response.rawPayload.length]).toEqual([200, digits.length]);
  });

  it('knows the unit in any case', async () => {
    expect((await get({ range: 'BYTES=0-9' })).body).toBe(digits.subarray(0, 10).toString());
  });

  it.each([
    [{ 'if-none-match': tag }, 304],
    [{ 'if-none-match': `W/${tag}` }, 304],
    [{ 'if-none-match': `"other", ${tag}` }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"other"' }, 200],
    [{ 'if-none-match': sha256(digits) }, 200],
    [{ 'if-none-match': tag, range: 'bytes=0-9' }, 304],
    [{ 'if-match': tag }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': `W/${tag}` }, 412],
    [{ 'if-match': '"other"' }, 412],
    [{ 'if-match': '"other"', 'if-none-match': tag }, 412],
    [{ range: 'bytes=0-9', 'if-range': tag }, 206],
    [{ range: 'bytes=0-9', 'if-range': '"other"' }, 200],
    [{ range: 'bytes=0-9', 'if-range': `W/${tag}` }, 200],
    [{ range: 'bytes=0-9', 'if-range': 'Mon, 23 Nov 2026 00:00:00 GMT' }, 200],
    [{ range: 'bytes=999999-', 'if-range': '"other"' }, 200],
  ] as const)('answers the conditions %j with %i', async (headers, status) => {
    const response = await get(headers);
    expect(response.statusCode).toBe(status);
    if (status === 304) {
      expect(response.rawPayload).toHaveLength(0);
      expect(response.headers).toMatchObject({ etag: tag, 'cache-control': immutable });
    }
  });
});

describe('representations of GET /factorial', () => {
  const url = `/factorial?number=${n}`;
  const get = (accept?: string, path = url) =>
    harness.app.inject({ url: path, headers: accept === undefined ? {} : { accept } });

  it.each([
    [undefined, 'text/plain'],
    ['*/*', 'text/plain'],
    ['text/*', 'text/plain'],
    ['text/plain', 'text/plain'],
    ['application/json', 'application/json'],
    ['application/*', 'application/json'],
    ['application/json, */*;q=0.1', 'application/json'],
    ['text/plain;q=0.5, application/json', 'application/json'],
    ['text/plain;q=0, */*', 'application/json'],
    ['TEXT/PLAIN', 'text/plain'],
    ['text/html, application/xhtml+xml, */*;q=0.8', 'text/plain'],
    ['garbage', 'text/plain'],
  ])('for Accept %s is %s', async (accept, type) => {
    const response = await get(accept);
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toContain(type);
    expect(response.headers.vary).toBe('Accept');
  });

  it('in JSON holds the same digits beside exact facts, under a tag of its own', async () => {
    const response = await get('application/json');
    const { value, ...facts } = response.json();
    expect(facts).toEqual({ number: '6000', digits: String(digits.length), trailingZeros: '1498' });
    expect(value === digits.toString('latin1')).toBe(true);
    const jsonTag = response.headers.etag;
    expect(jsonTag).not.toBe(tag);
    const again = await harness.app.inject({
      url,
      headers: { accept: 'application/json', 'if-none-match': String(jsonTag) },
    });
    expect(again.statusCode).toBe(304);
    const head = await harness.app.inject({ method: 'HEAD', url, headers: { accept: 'application/json' } });
    expect(head.headers['content-length']).toBe(response.headers['content-length']);
    expect(head.rawPayload).toHaveLength(0);
  });

  it('refuses JSON beyond its size and says so', async () => {
    const small = await startHarness({ jsonMaxDigits: 100 });
    try {
      await small.store(n, digits);
      const response = await small.app.inject({ url, headers: { accept: 'application/json' } });
      expect(response.statusCode).toBe(406);
      expect(response.json().detail).toContain('at most 100 digits');
      const either = await small.app.inject({ url, headers: { accept: 'application/json, text/plain;q=0.1' } });
      expect(either.headers['content-type']).toContain('text/plain');
    } finally {
      await small.close();
    }
  });
});

describe('where the digits of GET /factorial come from', () => {
  it('is the store first and the cache afterwards', async () => {
    const local = await startHarness();
    try {
      await local.store(n, digits);
      const read = async () => (await local.app.inject(`/factorial?number=${n}`)).headers['x-cache'];
      expect([await read(), await read()]).toEqual(['MISS', 'HIT']);
      await local.deps.cache.delete(n);
      expect(await read()).toBe('MISS');
    } finally {
      await local.close();
    }
  });

  it('is a computation at once for a tiny n that nobody requested', async () => {
    const response = await harness.app.inject('/factorial?number=20');
    expect([response.statusCode, response.body]).toEqual([200, '2432902008176640000']);
    expect(response.headers['x-cache']).toBe('COMPUTED');
    expect((await harness.app.inject('/factorial?number=20')).headers['x-cache']).toBe('HIT');
    expect((await harness.app.inject('/factorial?number=0')).body).toBe('1');
    expect((await harness.app.inject({ url: '/factorial?number=20', headers: { range: 'bytes=-3' } })).body).toBe(
      '000',
    );
  });

  it('is the store alone for what the cache does not take', async () => {
    const local = await startHarness({ largeFrom: 1_000_000n });
    try {
      const large = Buffer.from(trueDigits(20_000n), 'latin1');
      await local.store(20_000n, large);
      const app = await createApi({ ...local.deps, cache: createMemoryDigitCache({ maxValueBytes: 1_000 }) });
      const responses = [await app.inject('/factorial?number=20000'), await app.inject('/factorial?number=20000')];
      expect(responses.map((response) => response.headers['x-cache'])).toEqual(['MISS', 'MISS']);
      expect(responses.every((response) => response.rawPayload.equals(large))).toBe(true);
      expect(sha256(large)).toBe('eaae0cdb4ba46ca603da90766b63f69dd6cbd25340725ce15ba373d99aea5cf6');
      await app.close();
    } finally {
      await local.close();
    }
  });

  it('is elsewhere from largeFrom on: 303 to the metadata, whose text is the digits', async () => {
    const local = await startHarness({ largeFrom: 5_000n });
    try {
      await local.store(n, digits);
      const response = await local.app.inject(`/factorial?number=${n}`);
      expect([response.statusCode, response.headers.location]).toEqual([303, '/factorial/metadata?number=6000']);
      const text = await local.app.inject({ url: String(response.headers.location), headers: textOnly });
      expect(text.rawPayload.equals(digits)).toBe(true);
    } finally {
      await local.close();
    }
  });
});

describe('digits that are not there', () => {
  it.each(['/factorial', '/factorial/digits', '/factorial/metadata'])(
    'are 404 with how to ask for them at %s',
    async (path) => {
      const response = await harness.app.inject({ url: `${path}?number=9999`, headers: textOnly });
      expect(response.statusCode).toBe(404);
      expect(response.json()).toMatchObject({ type: '/problems/not-requested', number: '9999' });
      expect(response.json().detail).toContain('POST /factorial {"number": "9999"}');
    },
  );

  it.each(paths)('are 404 with Retry-After while in progress at %s', async (path) => {
    await harness.request(7_777n);
    const response = await harness.app.inject({ url: `${path}?number=7777`, headers: textOnly });
    expect(response.statusCode).toBe(404);
    expect(response.json().type).toBe('/problems/in-progress');
    expect(Number(response.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  });

  it.each(paths)('are 404 with the reason when the calculation failed at %s', async (path) => {
    if ((await harness.deps.metadata.find(8_888n)) === undefined) {
      await harness.request(8_888n);
      const claim = await harness.claim(8_888n);
      const reason = { code: 'kernel-failed', message: 'a thread died' };
      await harness.deps.metadata.fail(claim, reason, { retryable: false, maxFailures: 1 });
    }
    const response = await harness.app.inject({ url: `${path}?number=8888`, headers: textOnly });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({
      type: '/problems/calculation-failed',
      reason: { code: 'kernel-failed', message: 'a thread died' },
    });
  });

  it('are a damaged result when the object is gone and the row is not', async () => {
    const local = await startHarness();
    try {
      const row = await local.store(n, digits);
      await rm(join(local.directory, 'objects', ...row.objectKey.split('/')));
      for (const path of paths) {
        const response = await local.app.inject({ url: `${path}?number=${n}`, headers: textOnly });
        expect([response.statusCode, response.json().type]).toEqual([500, '/problems/result-damaged']);
        expect(response.headers).not.toHaveProperty('etag');
        expect(response.headers['cache-control']).toBe('no-store');
      }
    } finally {
      await local.close();
    }
  });

  it('are a damaged result, never wrong digits, when the stored bytes are not those that were computed', async () => {
    const local = await startHarness();
    try {
      await local.request(n);
      const claim = await local.claim(n);
      const wrong = Buffer.from(digits);
      wrong[17] = wrong[17] === 48 ? 49 : 48;
      const source = (async function* () {
        yield new Uint8Array(wrong);
      })();
      await local.deps.objects.sink(claim.objectKey).write({ digits: source, digitCount: BigInt(wrong.length) });
      await local.deps.metadata.complete(claim, { size: BigInt(wrong.length), checksum: sha256(digits) });
      const response = await local.app.inject(`/factorial?number=${n}`);
      expect([response.statusCode, response.json().type]).toEqual([500, '/problems/result-damaged']);
    } finally {
      await local.close();
    }
  });
});

/** The store with URLs for its objects, as S3 has them. */
function withPresignedUrls(objects: ObjectStore): ObjectStore {
  return {
    sink: (key) => objects.sink(key),
    stat: (key) => objects.stat(key),
    read: (key, range, signal) => objects.read(key, range, signal),
    checksum: (key, signal) => objects.checksum(key, signal),
    presign: async (key, ttlSeconds) => `https://objects.example/${key}?expires=${ttlSeconds}`,
    list: () => objects.list(),
    remove: (key) => objects.remove(key),
    abortUploads: (key) => objects.abortUploads(key),
    sweepUnfinished: (olderThanMs) => objects.sweepUnfinished(olderThanMs),
    now: () => objects.now(),
    freeBytes: () => objects.freeBytes(),
    ping: () => objects.ping(),
    close: () => objects.close(),
  };
}

describe('presigned redirects', () => {
  it('happen only above the size, only for GET, and only where the store has such URLs', async () => {
    const local = await startHarness();
    try {
      await local.store(n, digits);
      const signing = withPresignedUrls(local.deps.objects);
      const url = `/factorial/digits?number=${n}`;
      const app = await createApi({ ...local.deps, objects: signing }, { presignMinBytes: BigInt(digits.length) });
      const response = await app.inject(url);
      expect(response.statusCode).toBe(307);
      expect(response.headers.location).toMatch(/^https:\/\/objects\.example\/.+\?expires=300$/);
      expect(response.headers['cache-control']).toBe('no-store');
      expect((await app.inject({ url, headers: { 'if-none-match': tag } })).statusCode).toBe(304);
      expect((await app.inject({ method: 'HEAD', url })).statusCode).toBe(200);
      await app.close();
      const above = await createApi(
        { ...local.deps, objects: signing },
        { presignMinBytes: BigInt(digits.length + 1) },
      );
      expect((await above.inject(url)).statusCode).toBe(200);
      await above.close();
      const unable = await createApi(local.deps, { presignMinBytes: 0n });
      expect((await unable.inject(url)).statusCode).toBe(200);
      await unable.close();
    } finally {
      await local.close();
    }
  });
});
