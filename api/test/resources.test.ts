import { digitCountOfFactorial } from '@factorial/compute';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, sha256, startHarness, trueDigits } from './harness.ts';

const n = 2_500n;
const digits = Buffer.from(trueDigits(n), 'latin1');

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness({ maxNumber: 100_000n, listMaxLimit: 50, listDefaultLimit: 10 });
});
afterEach(() => harness.close());
const get = async (url: string) => (await harness.app.inject(url)).json();

describe('GET /factorial/metadata', () => {
  it('shows each state of a row in the words of the API', async () => {
    const url = `/factorial/metadata?number=${n}`;
    const { metadata, objects } = harness.deps;
    await harness.request(n);
    expect(await get(url)).toMatchObject({ status: 'queued', progress: null, size: null });
    await metadata.noteWaiting(n, 1, { phase: 'waiting', done: 0, total: 9, reason: 'needs 9 MiB, 1 is left' });
    const waiting = { phase: 'waiting', done: 0, total: 9, secondsLeft: null, reason: 'needs 9 MiB, 1 is left' };
    expect(await get(url)).toMatchObject({ status: 'queued', progress: waiting });
    const claim = await harness.claim(n);
    expect((await get(url)).status).toBe('calculating');
    await metadata.renew(claim, 60_000, { phase: 'product', done: 7, total: 9 });
    expect((await get(url)).progress).toEqual({ phase: 'product', done: 7, total: 9, secondsLeft: null, reason: null });
    await metadata.renew(claim, 60_000, { phase: 'product', done: 8, total: 9, secondsLeft: 12.5 });
    expect((await get(url)).progress).toMatchObject({ done: 8, secondsLeft: 12.5 });
    await metadata.markUploading(claim);
    expect((await get(url)).status).toBe('uploading');
    const source = (async function* () {
      yield new Uint8Array(digits);
    })();
    await objects.sink(claim.objectKey).write({ digits: source, digitCount: BigInt(digits.length) });
    await metadata.complete(claim, { size: BigInt(digits.length), checksum: sha256(digits) });
    expect(await get(url)).toMatchObject({
      number: '2500',
      status: 'done',
      digits: String(digits.length),
      trailingZeros: '624',
      size: String(digits.length),
      checksum: sha256(digits),
      attempt: 1,
      error: null,
      links: { self: url, digits: '/factorial/digits?number=2500' },
    });
  });

  it('says queued again when a run failed and waits for its next try', async () => {
    await harness.request(n);
    const claim = await harness.claim(n);
    await harness.deps.metadata.fail(
      claim,
      { code: 'kernel-failed', message: 'x' },
      { retryable: true, maxFailures: 3 },
    );
    expect((await get(`/factorial/metadata?number=${n}`)).status).toBe('queued');
  });

  it('tells when to look again only while something can change', async () => {
    await harness.request(n);
    const url = `/factorial/metadata?number=${n}`;
    expect(Number((await harness.app.inject(url)).headers['retry-after'])).toBeGreaterThan(0);
    await harness.deps.metadata.cancel(n);
    const response = await harness.app.inject(url);
    expect(response.headers['retry-after']).toBeUndefined();
    expect(response.json()).toMatchObject({ status: 'failed', error: { code: 'cancelled' } });
  });

  it('sends its header fields alone at HEAD', async () => {
    await harness.store(n, digits);
    const head = await harness.app.inject({ method: 'HEAD', url: `/factorial/metadata?number=${n}` });
    const whole = await harness.app.inject(`/factorial/metadata?number=${n}`);
    expect(head.rawPayload).toHaveLength(0);
    expect(head.headers['content-length']).toBe(whole.headers['content-length']);
  });
});

describe('GET /factorial/estimate', () => {
  it('is exact about what n! is, without computing or recording it', async () => {
    const estimate = await get('/factorial/estimate?number=20000');
    expect(estimate).toMatchObject({
      number: '20000',
      digits: '77338',
      trailingZeros: '4999',
      leadingDigits: '18192063202303451348',
      fits: true,
      reason: null,
      largestPossible: null,
      from: null,
    });
    expect(estimate).toMatchObject({ storage: 'memory', scratchBytes: 0, ioBytes: 0 });
    expect(estimate.memoryBytes).toBeGreaterThan(0);
    expect(estimate.estimatedSeconds).toBeGreaterThanOrEqual(0);
    expect(await harness.deps.metadata.find(20_000n)).toBeUndefined();
  });

  it.each([
    ['0', '1', '0', '1'],
    ['5', '3', '1', '120'],
    ['1000000000', '8565705523', '249999998', undefined],
    ['10000000000', '95657055187', '2499999997', undefined],
    ['6561101970383', '81244041273654', undefined, undefined],
    ['9223372036854775807', String(digitCountOfFactorial(2n ** 63n - 1n)), undefined, undefined],
  ])('knows the digits of %s!', async (number, count, zeros, leading) => {
    const estimate = await get(`/factorial/estimate?number=${number}`);
    expect(estimate.digits).toBe(count);
    if (zeros !== undefined) expect(estimate.trailingZeros).toBe(zeros);
    if (leading !== undefined) expect(estimate.leadingDigits).toBe(leading);
  });

  it('says whether the nearest stored result would be started from', async () => {
    const { metadata } = harness.deps;
    const store = async (number: bigint): Promise<void> => {
      await harness.request(number);
      const claim = await harness.claim(number);
      await metadata.complete(claim, { size: digitCountOfFactorial(number), checksum: 'ab'.repeat(32) });
    };
    await store(1_000_000n);
    await store(9_000_000n);
    const near = await get('/factorial/estimate?number=9900000');
    expect(near.from).toMatchObject({ number: '9000000', used: true, reason: expect.stringMatching(/, afresh /) });
    const far = await get('/factorial/estimate?number=1100000');
    expect(far.from).toMatchObject({ number: '1000000' });
    expect((await get('/factorial/estimate?number=8000000')).from).toBeNull();
  });

  it('says that and why n does not fit, and what would', async () => {
    const configured = await get('/factorial/estimate?number=100001');
    expect(configured).toMatchObject({ fits: false, largestPossible: '100000' });
    expect(configured.reason).toContain('up to 100000');
    expect(configured.estimatedSeconds).toBeGreaterThan(0);
    const elsewhere = await get('/factorial/estimate?number=1000000000000');
    expect(elsewhere).toMatchObject({ fits: false, engine: 'decimal', storage: 'scratch' });
    expect(elsewhere.scratchBytes).toBeGreaterThan(10n ** 13n);
    expect(elsewhere.ioBytes).toBeGreaterThan(elsewhere.scratchBytes);
    const impossible = await get(`/factorial/estimate?number=${2n ** 63n - 1n}`);
    expect(impossible).toMatchObject({ fits: false, engine: null, storage: null, memoryBytes: null });
    expect(impossible).toMatchObject({ scratchBytes: null, ioBytes: null, estimatedSeconds: null });
  });
});

describe('GET /factorial/list', () => {
  it('walks all rows once, newest first, whatever the page size', async () => {
    const numbers = Array.from({ length: 23 }, (_, index) => BigInt(100 + ((index * 7) % 23)));
    for (const number of numbers) await harness.request(number);
    for (const limit of [1, 5, 23, 50]) {
      const seen: { number: string; createdAt: string }[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: { items: typeof seen; next: string | null } = await get(
          `/factorial/list?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`,
        );
        expect(page.items.length).toBeLessThanOrEqual(limit);
        seen.push(...page.items);
        cursor = page.next;
      }
      expect(seen.map(({ number }) => number).sort()).toEqual(numbers.map(String).sort());
      const times = seen.map(({ createdAt }) => createdAt);
      expect(times).toEqual([...times].sort().reverse());
    }
    expect((await get('/factorial/list')).items).toHaveLength(10);
  });

  it('names the largest n that is done and the largest that runs', async () => {
    expect(await get('/factorial/list')).toEqual({ items: [], next: null, maxFactorial: null, curFactorial: null });
    await harness.store(n, digits);
    await harness.request(3_000n);
    await harness.claim(3_000n);
    expect(await get('/factorial/list?limit=1')).toMatchObject({ maxFactorial: '2500', curFactorial: '3000' });
  });
});

describe('DELETE /factorial', () => {
  const cancel = (number: bigint) => harness.app.inject({ method: 'DELETE', url: `/factorial?number=${number}` });

  it('ends an unfinished calculation as cancelled, once and again, and a POST starts anew', async () => {
    await harness.request(n);
    const claim = await harness.claim(n);
    for (let time = 0; time < 2; time++) {
      const response = await cancel(n);
      expect(response.statusCode).toBe(200);
      expect(response.json()).toMatchObject({ status: 'failed', error: { code: 'cancelled' } });
    }
    await expect(harness.deps.metadata.renew(claim, 1_000)).rejects.toMatchObject({ code: 'stale-lease' });
    const again = await harness.app.inject({ method: 'POST', url: '/factorial', payload: { number: 2_500 } });
    expect([again.statusCode, again.json().attempt]).toEqual([202, 2]);
  });

  it('is 409 for a result, which stays', async () => {
    await harness.store(n, digits);
    const response = await cancel(n);
    expect([response.statusCode, response.json().type]).toEqual([409, '/problems/already-done']);
    expect((await harness.app.inject(`/factorial/digits?number=${n}`)).rawPayload.equals(digits)).toBe(true);
  });

  it('is 409 for one that failed by itself, and 404 for one nobody requested', async () => {
    await harness.request(n);
    const claim = await harness.claim(n);
    await harness.deps.metadata.fail(
      claim,
      { code: 'kernel-failed', message: 'x' },
      { retryable: false, maxFailures: 1 },
    );
    expect((await cancel(n)).json().type).toBe('/problems/not-cancellable');
    expect((await cancel(7n)).statusCode).toBe(404);
  });
});
