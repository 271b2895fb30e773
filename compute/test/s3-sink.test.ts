import { S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { InputError } from '../src/index.ts';
import { S3Sink } from '../src/sink/s3.ts';
import { watchedBytes, watchedSource } from './digit-source.ts';
import { eTagOf, S3ProtocolServer } from './s3-protocol-server.ts';

/** Protocol-level: the SDK and the sink are real, the server is a stand-in that speaks their part of S3. */
const chunkBytes = 1_000_000;
const partBytes = 8 * 2 ** 20;

async function setUp() {
  const server = new S3ProtocolServer();
  const client = new S3Client({
    endpoint: await server.listen(),
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    maxAttempts: 3,
  });
  const sink = (queueSize?: number) =>
    new S3Sink({ client, bucket: 'results', key: 'a/b', ...(queueSize === undefined ? {} : { queueSize }) });
  return {
    server,
    sink,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

test('digits that fit one part are one PUT', async () => {
  await using setup = await setUp();
  const receipt = await setup.sink().write(watchedSource(3, 1000));
  const body = Buffer.from(watchedBytes(3, 1000));
  expect(setup.server.requests).toEqual(['put']);
  expect(setup.server.objects.get('/results/a/b')?.equals(body)).toBe(true);
  expect(receipt).toEqual({
    bytes: 3000n,
    location: 's3://results/a/b',
    eTag: eTagOf(body),
    parts: [{ partNumber: 1, bytes: 3000, eTag: eTagOf(body) }],
  });
});

test('more digits are a multipart upload whose parts are in the receipt, with a bounded number in flight', async () => {
  await using setup = await setUp();
  const receipt = await setup.sink(2).write(watchedSource(50, chunkBytes));
  const body = Buffer.from(watchedBytes(50, chunkBytes));
  expect(setup.server.objects.get('/results/a/b')?.equals(body)).toBe(true);
  expect(setup.server.uploads.size).toBe(0);
  expect(setup.server.mostPartsInFlight).toBeLessThanOrEqual(2);
  expect(receipt.eTag).toBe('"whole"');
  const expected = Array.from({ length: 6 }, (_, index) => {
    const part = body.subarray(index * partBytes, (index + 1) * partBytes);
    return { partNumber: index + 1, bytes: part.length, eTag: eTagOf(part) };
  });
  expect(receipt.parts).toEqual(expected);
});

test('exactly one part, and one byte more', async () => {
  await using setup = await setUp();
  await setup.sink().write(watchedSource(1, partBytes));
  expect(setup.server.requests).toEqual(['put']);
  const receipt = await setup.sink().write(watchedSource(1, partBytes + 1));
  expect(receipt.parts?.map((part) => part.bytes)).toEqual([partBytes, 1]);
});

test('a part that is refused with 503 is sent again', async () => {
  await using setup = await setUp();
  setup.server.fault = (request, count) => (request === 'part 2' && count <= 2 ? 'unavailable' : undefined);
  await setup.sink().write(watchedSource(20, chunkBytes));
  expect(setup.server.objects.get('/results/a/b')?.toString() === watchedBytes(20, chunkBytes)).toBe(true);
  expect(setup.server.requests.filter((request) => request === 'part 2').length).toBe(3);
});

test('a part that is refused for good fails the write and leaves no upload', async () => {
  await using setup = await setUp();
  setup.server.fault = (request) => (request === 'part 2' ? 'unavailable' : undefined);
  const source = watchedSource(100, chunkBytes);
  await expect(setup.sink().write(source)).rejects.toThrow();
  expect(setup.server.uploads.size).toBe(0);
  expect(setup.server.objects.size).toBe(0);
  expect(source.released()).toBe(true);
});

test.each([
  ['the source fails', { failAt: 30 }],
  ['there are too few digits', { digitCount: 40_000_001n }],
  ['there are too many digits', { digitCount: 39_999_999n }],
])('when %s, no upload and no object stay', async (_, options) => {
  await using setup = await setUp();
  await expect(setup.sink().write(watchedSource(40, chunkBytes, options))).rejects.toThrow();
  expect(setup.server.uploads.size).toBe(0);
  expect(setup.server.objects.size).toBe(0);
  expect(setup.server.requests.at(-1)).toBe('abort');
});

test('an abort ends parts in flight and a silent source, and has aborted the upload when the write rejects', async () => {
  await using setup = await setUp();
  setup.server.fault = (request) => (request === 'part 2' ? 'hang' : undefined);
  const controller = new AbortController();
  const source = watchedSource(40, chunkBytes, { stallAt: 30, signal: controller.signal });
  const write = setup.sink().write(source);
  const reason = new Error('stop');
  setTimeout(() => controller.abort(reason), 300);
  await expect(write).rejects.toBe(reason);
  expect(setup.server.requests.at(-1)).toBe('abort');
  expect(setup.server.uploads.size).toBe(0);
  expect(setup.server.objects.size).toBe(0);
});

test('a queue size outside 1 to 64 is refused', async () => {
  await using setup = await setUp();
  for (const queueSize of [0, 65, 1.5]) expect(() => setup.sink(queueSize)).toThrow(InputError);
});
