import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateMultipartUploadCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { InputError } from '@factorial/compute';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { verifyStored } from '../src/calculation/verify-stored.ts';
import { CapacityError, CorruptObjectError, TransientError } from '../src/contracts/errors.ts';
import type { ObjectStore } from '../src/objects/object-store.ts';
import { createS3ObjectStore } from '../src/objects/s3/s3-object-store.ts';
import { chunksOf, collect, describeObjectStoreContract } from './contracts/object-store.contract.ts';
import { startHttpFaultProxy } from './http-fault-proxy.ts';
import { startTestS3, type TestS3 } from './s3-test-support.ts';

let s3: TestS3;

beforeAll(async () => {
  s3 = await startTestS3();
});

afterAll(async () => {
  await s3?.dispose();
});

describeObjectStoreContract('the S3 object store', async () => {
  const store = s3.store({ bucket: await s3.makeBucket(), keyPrefix: 'results/' });
  return { store, dispose: () => store.close() };
});

const put = (store: ObjectStore, key: string, bytes: Uint8Array) =>
  store.sink(key).write({ digits: chunksOf(bytes), digitCount: BigInt(bytes.byteLength) });

describe('the S3 object store', () => {
  test('an object of several parts reads back whole and in any range, and its receipt names every part', async () => {
    const store = s3.store({ bucket: await s3.makeBucket() });
    const bytes = randomBytes(2 * 2 ** 23 + 12_345);
    const receipt = await put(store, 'a/b', bytes);
    expect(receipt.parts?.map((part) => part.bytes)).toEqual([2 ** 23, 2 ** 23, 12_345]);
    expect(bytes.equals(await collect(await store.read('a/b')))).toBe(true);
    const across = { start: 2n ** 23n - 5n, end: 2n ** 23n + 5n };
    expect(bytes.subarray(2 ** 23 - 5, 2 ** 23 + 6).equals(await collect(await store.read('a/b', across)))).toBe(true);
    await store.close();
  });

  test.each([7, 2 ** 23 + 5])(
    'an object of %i bytes that was replaced after it was written is found by its parts alone, without being read back',
    async (length) => {
      const bucket = await s3.makeBucket();
      const store = s3.store({ bucket });
      const bytes = randomBytes(length);
      const { eTag, bytes: size } = await put(store, 'a/b', bytes);
      const checksum = createHash('sha256').update(bytes).digest('hex');
      const verify = (readbackMaxBytes: bigint) => {
        const computed = { size, checksum, ...(eTag === undefined ? {} : { eTag }) };
        return verifyStored('a/b', computed, store, { readbackMaxBytes, signal: AbortSignal.timeout(30_000) });
      };
      expect(eTag).toMatch(length < 2 ** 23 ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{32}-2$/);
      await verify(0n);
      await verify(size);
      const other = Buffer.from(bytes);
      other[length - 1] = (other[length - 1] ?? 0) ^ 1;
      await s3.client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a/b', Body: other }));
      await expect(verify(0n)).rejects.toThrow(CorruptObjectError);
      await store.close();
    },
  );

  test('a presigned URL serves the digits and its ranges, not another key, and refuses to live too long', async () => {
    const bucket = await s3.makeBucket();
    const store = s3.store({ bucket });
    await put(store, 'a/b', Buffer.from('3628800'));
    await put(store, 'a/c', Buffer.from('39916800'));
    const url = (await store.presign('a/b', 60)) ?? '';
    expect(await (await fetch(url)).text()).toBe('3628800');
    expect(await (await fetch(url, { headers: { range: 'bytes=1-2' } })).text()).toBe('62');
    expect((await fetch(url.replace('/a/b', '/a/c'))).status).toBe(403);
    await expect(store.presign('a/b', 604_801)).rejects.toThrow(InputError);
    await store.close();
  });

  test.each([1, -1])(
    'a clock that is %d h off judges no age: a fresh upload of another worker lives, an old one does not',
    async (hours) => {
      const bucket = await s3.makeBucket();
      await s3.client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'a/b' }));
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * 3_600_000, shouldAdvanceTime: true });
      const store = s3.store({ bucket });
      try {
        expect(await store.sweepUnfinished(1_800_000)).toBe(0);
        expect(Math.abs((await store.now()).getTime() - (Date.now() - hours * 3_600_000))).toBeLessThan(60_000);
        await delay(2_000);
        expect(await store.sweepUnfinished(1)).toBe(1);
      } finally {
        vi.useRealTimers();
        await store.close();
      }
    },
  );

  test('a list longer than a page is complete', async () => {
    const bucket = await s3.makeBucket();
    const store = s3.store({ bucket, listPageSize: 7 });
    const names = Array.from({ length: 25 }, (_, index) => `f/${index}`);
    await Promise.all(names.map((name) => put(store, name, Buffer.from('1'))));
    const found: string[] = [];
    for await (const { key } of store.list()) found.push(key);
    expect(found.sort()).toEqual(names.sort());
    await store.close();
  });

  test('stores with different prefixes in one bucket see only their own objects', async () => {
    const bucket = await s3.makeBucket();
    const [one, two] = [s3.store({ bucket, keyPrefix: 'one/' }), s3.store({ bucket, keyPrefix: 'two/' })];
    await put(one, 'a', Buffer.from('1'));
    await put(two, 'a', Buffer.from('22'));
    expect((await one.stat('a'))?.size).toBe(1n);
    const keys: string[] = [];
    for await (const { key } of two.list()) keys.push(key);
    expect(keys).toEqual(['a']);
    await one.remove('a');
    expect(await two.stat('a')).toMatchObject({ size: 2n });
    await Promise.all([one.close(), two.close()]);
  });

  test('an object that does not fit is refused before its first byte; writes at once never get the same room', async () => {
    const store = s3.store({ bucket: await s3.makeBucket(), maxBytes: 10_000n });
    expect(await store.freeBytes()).toBe(10_000n);
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map((i) => put(store, `a/${i}`, Buffer.alloc(4_000, '7'))));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(refused).toHaveLength(2);
    expect(refused.every((fault) => fault instanceof CapacityError)).toBe(true);
    expect(await store.freeBytes()).toBe(2_000n);
    const keys: string[] = [];
    for await (const { key } of store.list()) keys.push(key);
    await store.remove(keys[0] ?? '');
    await store.remove(keys[0] ?? '');
    expect(await store.freeBytes()).toBe(6_000n);
    await store.close();
  });

  test('what others store counts after the time for which a count is believed', async () => {
    const bucket = await s3.makeBucket();
    const store = s3.store({ bucket, maxBytes: 10_000n, usageMaxAgeMs: 1 });
    const other = s3.store({ bucket });
    expect(await store.freeBytes()).toBe(10_000n);
    await put(other, 'a/1', Buffer.alloc(9_000, '7'));
    await expect(put(store, 'a/2', Buffer.alloc(2_000, '7'))).rejects.toThrow(CapacityError);
    expect(await other.freeBytes()).toBeUndefined();
    await Promise.all([store.close(), other.close()]);
  });

  test('a missing bucket and refused credentials are transient faults that say so', async () => {
    const store = s3.store({ bucket: 'no-such-bucket', maxAttempts: 1 });
    await expect(store.ping()).rejects.toThrow(/no bucket no-such-bucket/);
    await expect(put(store, 'a', Buffer.from('1'))).rejects.toThrow(TransientError);
    await store.close();
    const bucket = await s3.makeBucket();
    const right = process.env.AWS_SECRET_ACCESS_KEY;
    process.env.AWS_SECRET_ACCESS_KEY = 'wrong';
    const stranger = s3.store({ bucket, maxAttempts: 1 });
    await expect(put(stranger, 'a', Buffer.from('1'))).rejects.toThrow(/SignatureDoesNotMatch/);
    process.env.AWS_SECRET_ACCESS_KEY = right;
    await stranger.close();
  });

  test('parts carry the checksum and the encryption that were asked for', async () => {
    const proxy = await startHttpFaultProxy(s3.endpoint);
    const bucket = await s3.makeBucket();
    const store = s3.store({
      bucket,
      endpoint: proxy.url,
      partChecksum: 'crc64nvme',
      encryption: { algorithm: 'aws:kms', keyId: 'key-1' },
    });
    // The server of the tests knows no encryption: here only what is asked for is looked at.
    proxy.fault = ({ method }) => (method === 'PUT' ? { kind: 'answer', status: 200 } : undefined);
    await expect(put(store, 'a', Buffer.from('123456789'))).rejects.toThrow();
    const headers = proxy.requests.find(({ method }) => method === 'PUT')?.headers ?? {};
    // The check value that the catalogue of CRC algorithms gives for CRC-64/NVME.
    const check = Buffer.from('ae8b14860a799888', 'hex').toString('base64');
    expect(headers['x-amz-checksum-crc64nvme']).toBe(check);
    expect(headers['x-amz-server-side-encryption']).toBe('aws:kms');
    expect(headers['x-amz-server-side-encryption-aws-kms-key-id']).toBe('key-1');
    await store.close();
    await proxy.close();
  });

  test.each([
    ['an empty bucket name', { bucket: '' }],
    ['a bucket name of one letter', { bucket: 'b' }],
    ['an endpoint without a scheme', { bucket: 'bucket', endpoint: 'host:80' }],
    ['an endpoint of another protocol', { bucket: 'bucket', endpoint: 'ftp://host' }],
    ['a prefix that climbs', { bucket: 'bucket', keyPrefix: '../' }],
    ['a prefix without its slash', { bucket: 'bucket', keyPrefix: 'no-slash' }],
    ['a negative size', { bucket: 'bucket', maxBytes: -1n }],
    ['too many parts in flight', { bucket: 'bucket', partsInFlight: 65 }],
    ['no attempt', { bucket: 'bucket', maxAttempts: 0 }],
    ['a time that no timer counts', { bucket: 'bucket', idleTimeoutMs: 2 ** 31 }],
  ])('%s is refused', (_what, options) => {
    expect(() => createS3ObjectStore(options)).toThrow(InputError);
  });
});
