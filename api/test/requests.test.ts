import { setTimeout as delay } from 'node:timers/promises';
import { type CalculationQueue, CapacityError, createMemoryCalculationQueue, TransientError } from '@factorial/backing';
import { digitCountOfFactorial, largestFactorial } from '@factorial/compute';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApi } from '../src/index.ts';
import { type Harness, startHarness, testBudget, trueDigits } from './harness.ts';

const digits = Buffer.from(trueDigits(3_000n), 'latin1');

/** A queue that keeps what was published instead of delivering it, over the real one. */
function recordingQueue(fault?: Error): CalculationQueue & { readonly published: { lane: string; body: unknown }[] } {
  const queue = createMemoryCalculationQueue();
  const published: { lane: string; body: unknown }[] = [];
  return {
    published,
    publish: async (lane, body) => {
      if (fault !== undefined) throw fault;
      await queue.publish(lane, body);
      published.push({ lane, body });
    },
    consume: (lane, prefetch, handler) => queue.consume(lane, prefetch, handler),
    announce: (event) => queue.announce(event),
    deadLetters: (limit) => queue.deadLetters(limit),
    ping: () => queue.ping(),
    close: (drainMs) => queue.close(drainMs),
  };
}

/** The value, some time later. */
async function after<T>(delayMs: number, value: T): Promise<T> {
  await delay(delayMs);
  return value;
}

describe('POST /factorial', () => {
  let harness: Harness;
  let queue: ReturnType<typeof recordingQueue>;
  beforeEach(async () => {
    queue = recordingQueue();
    harness = await startHarness({ unfinishedMaxPerClient: 3 }, { queue });
  });
  afterEach(() => harness.close());
  const post = (payload: unknown) =>
    harness.app.inject({ method: 'POST', url: '/factorial', payload: payload as object });

  it('accepts n with 202, where to follow it, when to look again, and exact facts', async () => {
    const response = await post({ number: 20_000 });
    expect(response.statusCode).toBe(202);
    expect(response.headers.location).toBe('/factorial/metadata?number=20000');
    expect(Number(response.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(response.json()).toMatchObject({
      number: '20000',
      status: 'queued',
      digits: '77338',
      trailingZeros: '4999',
      size: null,
      checksum: null,
      attempt: 1,
      progress: null,
      error: null,
      links: { self: '/factorial/metadata?number=20000', digits: '/factorial/digits?number=20000' },
    });
    expect(queue.published).toEqual([{ lane: 'small.quick', body: { version: 1, number: '20000', attempt: 1 } }]);
  });

  it('takes the same n as a number and as a string, and records and publishes it once', async () => {
    const first = await post({ number: 5_000 });
    const second = await post({ number: '5000' });
    expect([first.statusCode, second.statusCode]).toEqual([202, 202]);
    expect(second.json().createdAt).toBe(first.json().createdAt);
    expect(queue.published).toHaveLength(1);
  });

  it('publishes once when ten clients ask for the same n at the same time', async () => {
    const responses = await Promise.all(Array.from({ length: 10 }, () => post({ number: 7_000 })));
    expect(responses.map((response) => response.statusCode)).toEqual(Array(10).fill(202));
    expect(new Set(responses.map((response) => response.json().createdAt)).size).toBe(1);
    expect(queue.published).toHaveLength(1);
  });

  it('publishes once when two servers over the same stores are asked for the same n at the same time', async () => {
    const other = await createApi(harness.deps, { budget: testBudget });
    const ask = (app: typeof other) => app.inject({ method: 'POST', url: '/factorial', payload: { number: 7_100 } });
    const responses = await Promise.all([ask(harness.app), ask(other), ask(harness.app), ask(other)]);
    expect(responses.map((response) => response.statusCode)).toEqual([202, 202, 202, 202]);
    expect(queue.published).toHaveLength(1);
    await other.close();
  });

  it('answers 200 with the result when n is done already', async () => {
    await harness.store(3_000n, digits);
    const response = await post({ number: 3_000 });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ status: 'done', size: String(digits.length) });
    expect(response.headers['retry-after']).toBeUndefined();
    expect(queue.published).toHaveLength(0);
  });

  it('starts a new attempt when the last one failed', async () => {
    await post({ number: 6_000 });
    const claim = await harness.claim(6_000n);
    await harness.deps.metadata.fail(
      claim,
      { code: 'kernel-failed', message: 'broken' },
      { retryable: false, maxFailures: 1 },
    );
    const response = await post({ number: 6_000 });
    expect(response.statusCode).toBe(202);
    expect(response.json()).toMatchObject({ status: 'queued', attempt: 2, error: null });
    expect(queue.published.at(-1)?.body).toEqual({ version: 1, number: '6000', attempt: 2 });
  });

  it('refuses more unfinished calculations than one client may have, also when they come at once', async () => {
    const responses = await Promise.all([8_001, 8_002, 8_003, 8_004, 8_005].map((number) => post({ number })));
    expect(responses.map((response) => response.statusCode).sort()).toEqual([202, 202, 202, 429, 429]);
    const refused = responses.find((response) => response.statusCode === 429)!;
    expect(refused.json().type).toBe('/problems/too-many-unfinished');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await post({ number: 8_001 })).statusCode).toBe(202);
  });

  it('holds the bound also when the store takes its time between counting and recording', async () => {
    const { metadata } = harness.deps;
    const slow = new Proxy(metadata, {
      get: (store, name) => {
        if (name === 'countUnfinished') return async (client: string) => after(20, await store.countUnfinished(client));
        const member = Reflect.get(store, name);
        return typeof member === 'function' ? member.bind(store) : member;
      },
    });
    const app = await createApi({ ...harness.deps, metadata: slow }, { budget: testBudget, unfinishedMaxPerClient: 3 });
    const ask = (number: number) => app.inject({ method: 'POST', url: '/factorial', payload: { number } });
    const responses = await Promise.all([8_011, 8_012, 8_013, 8_014, 8_015].map(ask));
    expect(responses.map((response) => response.statusCode).sort()).toEqual([202, 202, 202, 429, 429]);
    await app.close();
  });

  it('sends long calculations down the long lane', async () => {
    await harness.close();
    queue = recordingQueue();
    harness = await startHarness({ quickMaxSeconds: 0 }, { queue });
    await post({ number: 9_000 });
    expect(queue.published[0]?.lane).toBe('small.long');
  });

  it('sends n from largeFrom on down the large lane', async () => {
    await harness.close();
    queue = recordingQueue();
    harness = await startHarness({ largeFrom: 9_000n }, { queue });
    await post({ number: 9_000 });
    expect(queue.published[0]?.lane).toBe('large');
  });

  it.each([new CapacityError('full'), new TransientError('gone')])(
    'still answers 202 when publishing fails with %s: the row is the request',
    async (fault) => {
      await harness.close();
      harness = await startHarness({}, { queue: recordingQueue(fault) });
      expect((await post({ number: 9_100 })).statusCode).toBe(202);
      expect(await harness.deps.metadata.claimable(10)).toEqual([{ n: 9_100n, attempt: 1 }]);
    },
  );
});

describe('what POST /factorial cannot hold', () => {
  let harness: Harness;
  afterEach(() => harness.close());
  const post = (number: string) => harness.app.inject({ method: 'POST', url: '/factorial', payload: { number } });

  it('names the configured limit with 422', async () => {
    harness = await startHarness({ maxNumber: 50_000n });
    const response = await post('50001');
    expect(response.statusCode).toBe(422);
    expect(response.json()).toMatchObject({ type: '/problems/number-too-large', largestPossible: '50000' });
    expect((await post('50000')).statusCode).toBe(202);
  });

  it('names the largest n of the budget with 422 when that is smaller', async () => {
    harness = await startHarness({ maxNumber: 9_000_000_000_000_000_000n });
    const largest = largestFactorial(testBudget);
    const response = await post(String(largest + 1n));
    expect(response.statusCode).toBe(422);
    expect(BigInt(response.json().largestPossible)).toBeLessThanOrEqual(largest);
    expect(response.json().detail).toContain(response.json().largestPossible);
    // No scratch here: with it, the memory there is would do.
    const { needs } = response.json();
    expect(needs).toMatchObject({ engine: 'decimal', storage: 'scratch' });
    expect(needs.memoryBytes).toBeLessThanOrEqual(testBudget.memoryBytes);
    for (const figure of ['scratchBytes', 'ioBytes', 'estimatedSeconds']) expect(needs[figure]).toBeGreaterThan(0);
    const estimate = await harness.app.inject(`/factorial/estimate?number=${largest + 1n}`);
    expect(estimate.json()).toMatchObject({ fits: false, ...needs });
  });

  it('names the largest n whose digits fit the whole store with 422', async () => {
    harness = await startHarness({ objectsMaxBytes: 10_000n });
    const response = await post('20000');
    expect(response.statusCode).toBe(422);
    const largest = BigInt(response.json().largestPossible);
    expect(digitCountOfFactorial(largest)).toBeLessThanOrEqual(10_000n);
    expect(digitCountOfFactorial(largest + 1n)).toBeGreaterThan(10_000n);
  });

  it('answers 507 when stored and promised results leave no room, and lets known ones through', async () => {
    harness = await startHarness({ objectsMaxBytes: 30_000n });
    await harness.store(3_000n, digits);
    expect((await post('5000')).statusCode).toBe(202);
    const response = await post('4000');
    expect(response.statusCode).toBe(507);
    expect(response.json()).toMatchObject({ type: '/problems/store-full', number: '4000' });
    expect((await post('3000')).statusCode).toBe(200);
    expect((await post('5000')).statusCode).toBe(202);
    expect(await harness.deps.metadata.find(4_000n)).toBeUndefined();
  });
});
