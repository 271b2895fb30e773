import { randomBytes } from 'node:crypto';
import { ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CorruptObjectError, TransientError } from '../src/contracts/errors.ts';
import type { ObjectStore } from '../src/objects/object-store.ts';
import type { S3ObjectStoreOptions } from '../src/objects/s3/s3-options.ts';
import { chunksOf, collect } from './contracts/object-store.contract.ts';
import { type HttpFault, type HttpFaultProxy, startHttpFaultProxy } from './http-fault-proxy.ts';
import { harm } from './s3-operations.ts';
import { startPrivateS3, type TestS3 } from './s3-test-support.ts';

const partBytes = 2 ** 23;
/** Three parts, the last one short. */
const digits = randomBytes(2 * partBytes + 100_000);
const key = 'factorials/1000/1-aa.txt';

let s3: TestS3;
let bucket: string;
let proxy: HttpFaultProxy;
const stores: ObjectStore[] = [];

beforeAll(async () => {
  s3 = await startPrivateS3();
});

afterAll(async () => {
  await s3?.dispose();
});

beforeEach(async () => {
  bucket = await s3.makeBucket();
  proxy = await startHttpFaultProxy(s3.endpoint);
});

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await proxy.close();
});

function makeStore(options: Partial<S3ObjectStoreOptions> = {}): ObjectStore {
  const store = s3.store({ bucket, endpoint: proxy.url, maxAttempts: 3, idleTimeoutMs: 4_000, ...options });
  stores.push(store);
  return store;
}

const put = (store: ObjectStore, bytes: Uint8Array = digits, objectKey = key) =>
  store.sink(objectKey).write({ digits: chunksOf(bytes), digitCount: BigInt(bytes.byteLength) });

async function expectStored(store: ObjectStore, bytes: Uint8Array = digits): Promise<void> {
  expect(Buffer.from(bytes).equals(await collect(await store.read(key)))).toBe(true);
}

/** Nothing visible, nothing unfinished: as if the write had never been tried. */
async function expectNothing(store: ObjectStore): Promise<void> {
  expect(await store.stat(key)).toBeUndefined();
  expect(await openUploads()).toBe(0);
}

async function openUploads(): Promise<number> {
  return (await s3.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;
}

const refusal = (status: number): HttpFault => ({ kind: 'answer', status });
const always = Number.POSITIVE_INFINITY;

describe('an upload survives what passes', () => {
  test.each([
    ['create', 500],
    ['create', 503],
    ['part', 500],
    ['part', 503],
    ['complete', 500],
    ['complete', 503],
  ] as const)('one answer to %s with status %d', async (operation, status) => {
    const store = makeStore();
    const state = harm(proxy, operation, refusal(status), 2);
    await put(store);
    expect(state.harmed).toBe(2);
    await expectStored(store);
  });

  test('a completion that fails inside an answer with status 200', async () => {
    const store = makeStore();
    const body = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>try again</Message></Error>';
    const state = harm(proxy, 'complete', { kind: 'answer', status: 200, body });
    await put(store);
    expect(state.harmed).toBe(1);
    await expectStored(store);
  });

  test('a completion whose answers are all lost is found to have taken place', async () => {
    const store = makeStore();
    const state = harm(proxy, 'complete', { kind: 'loseAnswer' }, always);
    const receipt = await put(store);
    expect(state.harmed).toBeGreaterThanOrEqual(1);
    expect(receipt.bytes).toBe(BigInt(digits.byteLength));
    proxy.fault = () => undefined;
    await expectStored(store);
    expect(await openUploads()).toBe(0);
  });

  test.each([
    ['a part', digits, 'part'],
    ['a single PUT', digits.subarray(0, 1_000), 'put'],
  ] as const)('%s corrupted on its way is sent again', async (_what, bytes, operation) => {
    const store = makeStore();
    const state = harm(proxy, operation, { kind: 'corrupt' });
    await put(store, bytes);
    expect(state.harmed).toBe(1);
    await expectStored(store, bytes);
  });

  test('a part that the server stored otherwise than it was sent is sent again', async () => {
    const store = makeStore();
    const state = harm(
      proxy,
      'part',
      { kind: 'answerHeaders', headers: { etag: '"00000000000000000000000000000000"' } },
      1,
      2,
    );
    await put(store);
    expect(state.harmed).toBe(1);
    await expectStored(store);
  });
});

describe('an upload that cannot succeed leaves nothing behind', () => {
  test.each([
    ['create', 503],
    ['part', 500],
    ['complete', 500],
  ] as const)('when %s is always answered with status %d', async (operation, status) => {
    const store = makeStore();
    const state = harm(proxy, operation, refusal(status), always);
    await expect(put(store)).rejects.toThrow(TransientError);
    // Two parts are in flight at once; no request is tried more than maxAttempts times.
    expect(state.harmed).toBeLessThanOrEqual(6);
    proxy.fault = () => undefined;
    await expectNothing(store);
  });

  test.each([
    ['corrupted on its way', { kind: 'corrupt' }],
    ['stored otherwise', { kind: 'answerHeaders', headers: { etag: '"00000000000000000000000000000000"' } }],
  ] as const)('when a part is %s every time', async (_how, fault) => {
    const store = makeStore();
    const state = harm(proxy, 'part', fault, always, 3);
    await expect(put(store)).rejects.toThrow(CorruptObjectError);
    expect(state.harmed).toBe(3);
    proxy.fault = () => undefined;
    await expectNothing(store);
  });
});

describe('a read that breaks off is taken up again', () => {
  test('every byte comes once and in order when each answer is cut', async () => {
    const store = makeStore();
    await put(store);
    const state = harm(proxy, 'get', { kind: 'cutAnswer', afterBytes: 3_000_000 }, always);
    await expectStored(store);
    expect(state.harmed).toBeGreaterThanOrEqual(5);
    const range = { start: 5n, end: 7_000_004n };
    expect(digits.subarray(5, 7_000_005).equals(await collect(await store.read(key, range)))).toBe(true);
  });

  test('an answer that stops without an end is given up after the idle time', async () => {
    const store = makeStore({ idleTimeoutMs: 500 });
    await put(store);
    const state = harm(proxy, 'get', { kind: 'stallAnswer', afterBytes: 10_000_000 });
    await expectStored(store);
    expect(state.harmed).toBe(1);
  });

  test('it ends as a transient fault when no byte comes any more', async () => {
    const store = makeStore({ maxReadResumes: 2 });
    await put(store);
    const state = harm(proxy, 'get', { kind: 'cutAnswer', afterBytes: 0 }, always);
    await expect(store.read(key).then(collect)).rejects.toThrow(TransientError);
    expect(state.harmed).toBe(3);
  });

  test('another object under the key is never mixed into it', async () => {
    const store = makeStore();
    await put(store);
    harm(proxy, 'get', { kind: 'cutAnswer', afterBytes: 1_000_000 });
    const chunks = (await store.read(key))[Symbol.asyncIterator]();
    await chunks.next();
    const replaced = randomBytes(digits.byteLength);
    await s3.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: replaced }));
    const readOn = async () => {
      while (!(await chunks.next()).done);
    };
    await expect(readOn()).rejects.toThrow(CorruptObjectError);
  });

  test('a reader slower than the idle time gets every byte', async () => {
    const store = makeStore({ idleTimeoutMs: 300 });
    await put(store);
    const all: Uint8Array[] = [];
    for await (const chunk of await store.read(key)) {
      if (all.length % 60 === 0) await new Promise((resolve) => setTimeout(resolve, 450));
      all.push(chunk);
    }
    expect(digits.equals(Buffer.concat(all))).toBe(true);
  });
});
