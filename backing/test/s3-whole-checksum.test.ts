import { randomBytes } from 'node:crypto';
import { CompleteMultipartUploadCommand, ListMultipartUploadsCommand, ListPartsCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CorruptObjectError, TransientError } from '../src/contracts/errors.ts';
import type { ObjectStore } from '../src/objects/object-store.ts';
import { chunksOf, collect } from './contracts/object-store.contract.ts';
import { type HttpFault, type HttpFaultProxy, type ProxiedRequest, startHttpFaultProxy } from './http-fault-proxy.ts';
import { operationOf } from './s3-operations.ts';
import { startPrivateS3, type TestS3 } from './s3-test-support.ts';

/** Two parts of 8 MiB, the last one short. */
const digits = randomBytes(2 ** 23 + 100_000);
const key = 'factorials/1000/1-aa.txt';
const checksum = 'x-amz-checksum-crc64nvme';
const whole = crc64NvmeNaive(digits);
const wrong = Buffer.alloc(8, 7).toString('base64');
/** How S3 says that ETags are no MD5s. */
const underOwnKey = { 'x-amz-server-side-encryption': 'aws:kms' };

let s3: TestS3;
let bucket: string;
let proxy: HttpFaultProxy;
let stores: ObjectStore[];
beforeAll(async () => {
  s3 = await startPrivateS3();
});
afterAll(async () => {
  await s3?.dispose();
});
beforeEach(async () => {
  bucket = await s3.makeBucket();
  proxy = await startHttpFaultProxy(s3.endpoint);
  stores = [];
});
afterEach(async () => {
  for (const store of stores) await store.close();
  await proxy.close();
});

function makeStore(): ObjectStore {
  const store = s3.store({ bucket, endpoint: proxy.url, partChecksum: 'crc64nvme', maxAttempts: 2 });
  stores.push(store);
  return store;
}

const put = (store: ObjectStore) =>
  store.sink(key).write({ digits: chunksOf(digits), digitCount: BigInt(digits.byteLength) });

/**
 * The server of the tests keeps no such sums and knows none in a completion: the answers are given those that S3 would, of each part, and
 * `stored` of the whole; completions are made in its place.
 */
function asS3(stored: string, encryption: Readonly<Record<string, string>>): void {
  proxy.fault = async (request) => {
    const operation = operationOf(request);
    if (operation === 'part') {
      return { kind: 'answerHeaders', headers: { ...encryption, [checksum]: String(request.headers[checksum]) } };
    }
    if (request.method === 'HEAD' && request.url.pathname.endsWith('.txt')) {
      return { kind: 'answerHeaders', headers: { ...encryption, [checksum]: stored } };
    }
    return operation === 'complete' ? await complete(request) : undefined;
  };
}

/** Complete the upload as its request asks, but for the sums, and answer as the server does. */
async function complete({ url }: ProxiedRequest): Promise<HttpFault> {
  const upload = { Bucket: bucket, Key: key, UploadId: url.searchParams.get('uploadId') ?? '' };
  const { Parts = [] } = await s3.client.send(new ListPartsCommand(upload));
  const parts = Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
  const { ETag } = await s3.client.send(
    new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }),
  );
  const body = `<CompleteMultipartUploadResult><Key>${key}</Key><ETag>${ETag}</ETag></CompleteMultipartUploadResult>`;
  return { kind: 'answer', status: 200, body: `<?xml version="1.0"?>${body}` };
}

const completions = () => proxy.requests.filter((request) => operationOf(request) === 'complete');

async function openUploads(): Promise<number> {
  return (await s3.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;
}

describe('where the server keeps a CRC-64/NVME of the whole object', () => {
  test.each([
    ['ETags that are MD5s', {}],
    ['a key of one’s own', underOwnKey],
  ])('the completion names that of the digits and their size, under %s', async (_what, encryption) => {
    const store = makeStore();
    asS3(whole, encryption);
    await put(store);
    expect(completions()[0]?.headers).toMatchObject({
      [checksum]: whole,
      'x-amz-checksum-type': 'FULL_OBJECT',
      'x-amz-mp-object-size': String(digits.byteLength),
    });
    proxy.fault = () => undefined;
    expect(digits.equals(await collect(await store.read(key)))).toBe(true);
  });

  test.each([
    ['ETags that are MD5s', {}],
    ['a key of one’s own', underOwnKey],
  ])('an object stored with another one is refused and removed, under %s', async (_what, encryption) => {
    const store = makeStore();
    asS3(wrong, encryption);
    await expect(put(store)).rejects.toThrow(CorruptObjectError);
    proxy.fault = () => undefined;
    expect(await store.stat(key)).toBeUndefined();
    expect(await openUploads()).toBe(0);
  });

  test('a completion whose answers are lost is found by it where ETags say nothing, and only by the right one', async () => {
    const store = makeStore();
    let completedOnce = false;
    const losing = (stored: string): void => {
      asS3(stored, underOwnKey);
      const judge = proxy.fault;
      proxy.fault = async (request) => {
        if (operationOf(request) !== 'complete') return await judge(request);
        if (!completedOnce) await complete(request);
        completedOnce = true;
        return { kind: 'reset' };
      };
    };
    losing(whole);
    expect(await put(store)).toMatchObject({ bytes: BigInt(digits.byteLength) });
    completedOnce = false;
    losing(wrong);
    await expect(put(store)).rejects.toThrow(TransientError);
  });
});

test('where the server tells no sums, none is named and the ETags are compared as ever', async () => {
  const store = makeStore();
  await put(store);
  expect(completions()[0]?.headers).not.toHaveProperty(checksum);
  expect(digits.equals(await collect(await store.read(key)))).toBe(true);
});

/** Byte by byte, base64: the definition, apart from the table. */
function crc64NvmeNaive(bytes: Uint8Array): string {
  const ones = 2n ** 64n - 1n;
  const table = Array.from({ length: 256 }, (_, byte) => {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x9a6c9329ac4bc9b5n : crc >> 1n;
    return crc;
  });
  let crc = ones;
  for (const byte of bytes) crc = (crc >> 8n) ^ (table[Number(crc & 0xffn) ^ byte] ?? 0n);
  const sum = Buffer.alloc(8);
  sum.writeBigUInt64BE(crc ^ ones);
  return sum.toString('base64');
}
