import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTcpProxy, throughProxy } from '../dev/tcp-proxy.ts';
import { TransientError } from '../src/contracts/errors.ts';
import type { ObjectStore } from '../src/objects/object-store.ts';
import type { S3ObjectStoreOptions } from '../src/objects/s3/s3-options.ts';
import { chunksOf, collect } from './contracts/object-store.contract.ts';
import { startPrivateS3, type TestS3 } from './s3-test-support.ts';

/** Three parts of 8 MiB, the last one short. */
const digits = randomBytes(2 * 2 ** 23 + 100_000);
const key = 'factorials/1000/1-aa.txt';

let s3: TestS3;
let bucket: string;
const stores: ObjectStore[] = [];

beforeAll(async () => {
  s3 = await startPrivateS3();
});

afterAll(async () => {
  await s3?.dispose();
});

beforeEach(async () => {
  bucket = await s3.makeBucket();
});

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

function makeStore(options: Partial<S3ObjectStoreOptions> = {}): ObjectStore {
  const store = s3.store({ bucket, maxAttempts: 3, idleTimeoutMs: 4_000, ...options });
  stores.push(store);
  return store;
}

const put = (store: ObjectStore, bytes: Uint8Array = digits) =>
  store.sink(key).write({ digits: chunksOf(bytes), digitCount: BigInt(bytes.byteLength) });

async function expectStored(store: ObjectStore, bytes: Uint8Array = digits): Promise<void> {
  expect(Buffer.from(bytes).equals(await collect(await store.read(key)))).toBe(true);
}

async function openUploads(): Promise<number> {
  return (await s3.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;
}

describe('uploads that nobody writes to any more', () => {
  test('a worker killed in the middle of an upload leaves one that the sweep of another aborts', async () => {
    const program = fileURLToPath(new URL('./fixtures/killed-upload.ts', import.meta.url));
    const child = spawn(process.execPath, [program, s3.endpoint, bucket, key], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of child.stdout) if (String(line).includes('part sent')) break;
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = makeStore();
    expect(await openUploads()).toBe(1);
    expect(await store.stat(key)).toBeUndefined();
    expect(await store.sweepUnfinished(3_600_000)).toBe(0);
    expect(await store.sweepUnfinished(0)).toBe(1);
    expect(await openUploads()).toBe(0);
  });

  test('an upload of another worker lives as long as parts arrive, and pages of the list are followed', async () => {
    const keys = ['u/1', 'u/2', 'u/3', 'u/4'];
    const uploadIds = new Map<string, string>();
    for (const Key of keys) {
      const created = await s3.client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
      uploadIds.set(Key, created.UploadId ?? '');
    }
    // Servers date uploads and parts by whole seconds, and a busy one takes some for three parts.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const living = { Bucket: bucket, Key: 'u/2', UploadId: uploadIds.get('u/2') };
    for (const PartNumber of [1, 2, 3]) {
      await s3.client.send(new UploadPartCommand({ ...living, PartNumber, Body: Buffer.alloc(100, '7') }));
    }
    const store = makeStore({ listPageSize: 2 });
    expect(await store.sweepUnfinished(4_500)).toBe(3);
    expect(await openUploads()).toBe(1);
  });
});

describe('the server itself fails', () => {
  test('killed during an upload and started again: the write ends one way or the other, and the next one works', async () => {
    const store = makeStore({ maxAttempts: 2 });
    let pulled = 0;
    async function* slowDigits() {
      for await (const chunk of chunksOf(digits)) {
        pulled += 1;
        if (pulled === 200) await s3.swift?.kill();
        yield chunk;
      }
    }
    const writing = store.sink(key).write({ digits: slowDigits(), digitCount: BigInt(digits.byteLength) });
    await expect(writing).rejects.toThrow(TransientError);
    await expect(store.ping()).rejects.toThrow(TransientError);
    await s3.swift?.start();
    await store.ping();
    expect(await store.stat(key)).toBeUndefined();
    await put(store);
    await expectStored(store);
    await store.sweepUnfinished(0);
    expect(await openUploads()).toBe(0);
  });

  test('refused at start-up: every call says so within its bounds, and the same store works once the server is there', async () => {
    await s3.swift?.stop();
    const store = makeStore({ maxAttempts: 2 });
    const before = performance.now();
    await expect(store.ping()).rejects.toThrow(TransientError);
    await expect(store.stat(key)).rejects.toThrow(TransientError);
    await expect(put(store, digits.subarray(0, 100))).rejects.toThrow(TransientError);
    expect(performance.now() - before).toBeLessThan(10_000);
    await s3.swift?.start();
    await put(store, digits.subarray(0, 100));
    await expectStored(store, digits.subarray(0, 100));
  });

  test('a stall of 5 s during an upload delays it; connections cut are made anew', async () => {
    const tcp = await startTcpProxy(Number(new URL(s3.endpoint).port));
    const store = makeStore({ endpoint: throughProxy(s3.endpoint, tcp), idleTimeoutMs: 10_000 });
    let pulled = 0;
    async function* digitsUnderFaults() {
      for await (const chunk of chunksOf(digits)) {
        pulled += 1;
        if (pulled === 150) {
          tcp.stall();
          setTimeout(() => tcp.restore(), 5_000);
        }
        if (pulled === 250) tcp.cut();
        yield chunk;
      }
    }
    await store.sink(key).write({ digits: digitsUnderFaults(), digitCount: BigInt(digits.byteLength) });
    await expectStored(store);
    await tcp.close();
  });

  test('half-open connections fail within the idle time', async () => {
    const tcp = await startTcpProxy(Number(new URL(s3.endpoint).port));
    const store = makeStore({ endpoint: throughProxy(s3.endpoint, tcp), idleTimeoutMs: 300, maxAttempts: 2 });
    await store.ping();
    tcp.stall();
    const before = performance.now();
    await expect(store.ping()).rejects.toThrow(TransientError);
    await expect(store.stat(key)).rejects.toThrow(TransientError);
    expect(performance.now() - before).toBeLessThan(5_000);
    tcp.restore();
    await store.ping();
    await tcp.close();
  });
});
