import { createHash } from 'node:crypto';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { type DigitSink, type DigitSource, InputError, type SinkReceipt } from '@factorial/compute';
import { CorruptObjectError, TransientError } from '../../contracts/errors.ts';
import { positiveInteger } from '../../contracts/positive-integer.ts';
import {
  type ByteRange,
  type ObjectChecksum,
  type ObjectStore,
  objectKeyPattern,
  type StoredObject,
} from '../object-store.ts';
import { S3CheckedUpload } from './s3-checked-upload.ts';
import { S3Connection } from './s3-connection.ts';
import { hasName, isNotFound } from './s3-faults.ts';
import { type S3ObjectStoreOptions, type S3Settings, s3Settings } from './s3-options.ts';
import { unquoted } from './s3-part-sums.ts';
import { type S3Body, S3RangeReader } from './s3-range-reader.ts';
import { sweepUploads } from './s3-upload-sweep.ts';
import { S3Usage } from './s3-usage.ts';

/** Longest life of a presigned URL that S3 signs: seven days. */
const maxPresignSeconds = 604_800;
const pingTimeoutMs = 5_000;

/** Objects in one bucket of S3, or of a server that speaks its protocol. The SDK is loaded at first use. */
export function createS3ObjectStore(options: S3ObjectStoreOptions): ObjectStore {
  return new S3ObjectStore(s3Settings(options));
}

/** The latest date there is. */
const endOfTimeMs = 8_640_000_000_000_000;

class S3ObjectStore implements ObjectStore {
  readonly #settings: S3Settings;
  readonly #connection: S3Connection;
  readonly #usage: S3Usage | undefined;
  /** Multipart uploads of this process that are under way. */
  readonly #uploading = new Set<string>();

  constructor(settings: S3Settings) {
    this.#settings = settings;
    this.#connection = new S3Connection(settings);
    const { maxBytes, usageMaxAgeMs } = settings;
    if (maxBytes !== undefined) this.#usage = new S3Usage(maxBytes, usageMaxAgeMs, () => this.list());
  }

  sink(key: string): DigitSink {
    const s3Key = this.#s3Key(key);
    return { write: (source) => this.#write(s3Key, source) };
  }

  async #write(s3Key: string, source: DigitSource): Promise<SinkReceipt> {
    source.signal?.throwIfAborted();
    const access = await this.#connection.access();
    const { S3Sink } = await import('@factorial/compute/s3');
    const reservation = await this.#usage?.reserve(source.digitCount);
    let storedBytes = 0n;
    let ownUploadId: string | undefined;
    try {
      const upload = new S3CheckedUpload(access, this.#settings, s3Key, (uploadId) => {
        ownUploadId = uploadId;
        this.#uploading.add(uploadId);
      });
      const { bucket, partsInFlight: queueSize } = this.#settings;
      const receipt = await new S3Sink({ client: upload.client, bucket, key: s3Key, queueSize }).write(source);
      const eTag = await this.#verify(upload, receipt.bytes, s3Key, source.signal);
      storedBytes = receipt.bytes;
      return eTag === undefined ? receipt : { ...receipt, eTag };
    } finally {
      reservation?.settle(storedBytes);
      if (ownUploadId !== undefined) this.#uploading.delete(ownUploadId);
    }
  }

  /** The ETag of what is stored. What differs from what was sent does not stay visible. */
  async #verify(
    upload: S3CheckedUpload,
    bytes: bigint,
    Key: string,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    return await this.#connection.run(
      Key,
      async ({ sdk, client }) => {
        try {
          return await upload.verifyWhole(bytes, signal);
        } catch (fault) {
          if (fault instanceof CorruptObjectError) {
            await client.send(new sdk.DeleteObjectCommand({ Bucket: this.#settings.bucket, Key }));
          }
          throw fault;
        }
      },
      signal,
    );
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const Key = this.#s3Key(key);
    return await this.#connection.run(key, async ({ sdk, client }) => {
      try {
        const head = await client.send(new sdk.HeadObjectCommand({ Bucket: this.#settings.bucket, Key }));
        const { ContentLength = 0, LastModified = new Date(0), ETag } = head;
        const stored = { key, size: BigInt(ContentLength), modifiedAt: LastModified };
        return ETag === undefined ? stored : { ...stored, eTag: unquoted(ETag) };
      } catch (fault) {
        if (isNotFound(fault)) return undefined;
        throw fault;
      }
    });
  }

  async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    this.#s3Key(key);
    if (range && !(0n <= range.start && range.start <= range.end && range.end <= BigInt(Number.MAX_SAFE_INTEGER))) {
      throw new InputError('a byte range within the object', `${range.start} … ${range.end}`);
    }
    const start = Number(range?.start ?? 0n);
    const opened = await this.#open(key, range && [start, Number(range.end)], undefined, signal);
    const size = sizeOf(opened);
    const stop = range ? Number(range.end) + 1 : size;
    const body = bodyOf(opened);
    if (stop > size) {
      body.destroy();
      throw new InputError(`a byte range within 0 … ${size - 1}`, `${start} … ${stop - 1}`);
    }
    const reopen = async (from: number) => bodyOf(await this.#open(key, [from, stop - 1], opened.ETag, signal));
    return new S3RangeReader({ body, start, stop, reopen, maxResumes: this.#settings.maxReadResumes, signal });
  }

  /** The response to a read of the bytes from `first` to `last`; with an ETag, only of that very object. */
  async #open(
    key: string,
    range: readonly [first: number, last: number] | undefined,
    eTag: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<GetObjectCommandOutput> {
    const read = {
      Bucket: this.#settings.bucket,
      Key: this.#s3Key(key),
      ...(range && { Range: `bytes=${range[0]}-${range[1]}` }),
      ...(eTag !== undefined && { IfMatch: eTag }),
    };
    const get = async ({ sdk, client }: Awaited<ReturnType<S3Connection['access']>>) => {
      try {
        return await client.send(new sdk.GetObjectCommand(read), signal === undefined ? {} : { abortSignal: signal });
      } catch (fault) {
        if (hasName(fault, 'InvalidRange')) {
          throw new InputError('a byte range within the object', read.Range ?? 'the whole', { cause: fault });
        }
        if (hasName(fault, 'PreconditionFailed')) {
          throw new CorruptObjectError(`expected ${key} unchanged while it was read, got another object`, {
            cause: fault,
          });
        }
        throw fault;
      }
    };
    return await this.#connection.run(key, get, signal);
  }

  async checksum(key: string, signal?: AbortSignal): Promise<ObjectChecksum> {
    const hash = createHash('sha256');
    let size = 0n;
    for await (const chunk of await this.read(key, undefined, signal)) {
      hash.update(chunk);
      size += BigInt(chunk.byteLength);
    }
    return { size, sha256: hash.digest('hex') };
  }

  async presign(key: string, ttlSeconds: number): Promise<string> {
    const Key = this.#s3Key(key);
    const expiresIn = positiveInteger('ttlSeconds', ttlSeconds, maxPresignSeconds);
    return await this.#connection.run(key, async ({ sdk, client }) => {
      const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
      return await getSignedUrl(client, new sdk.GetObjectCommand({ Bucket: this.#settings.bucket, Key }), {
        expiresIn,
      });
    });
  }

  async *list(): AsyncGenerator<StoredObject> {
    const { bucket: Bucket, keyPrefix, listPageSize: MaxKeys } = this.#settings;
    let token: string | undefined;
    do {
      const page = await this.#connection.run('the list of objects', ({ sdk, client }) =>
        client.send(
          new sdk.ListObjectsV2Command({
            Bucket,
            MaxKeys,
            ...(keyPrefix === '' ? {} : { Prefix: keyPrefix }),
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        ),
      );
      for (const { Key = '', Size = 0, LastModified = new Date(0) } of page.Contents ?? []) {
        const key = Key.slice(keyPrefix.length);
        if (objectKeyPattern.test(key)) yield { key, size: BigInt(Size), modifiedAt: LastModified };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async remove(key: string): Promise<void> {
    const Key = this.#s3Key(key);
    const removed = this.#usage && (await this.stat(key));
    await this.#connection.run(key, async ({ sdk, client }) => {
      try {
        await client.send(new sdk.DeleteObjectCommand({ Bucket: this.#settings.bucket, Key }));
      } catch (fault) {
        // S3 itself is content; other servers say so.
        if (!isNotFound(fault)) throw fault;
      }
    });
    if (removed) this.#usage?.release(removed.size);
  }

  async abortUploads(key: string): Promise<number> {
    const { bucket, listPageSize: pageSize } = this.#settings;
    const prefix = this.#s3Key(key);
    const before = new Date(endOfTimeMs);
    return await this.#connection.run(key, (access) =>
      sweepUploads(access, { bucket, prefix, pageSize, before, own: new Set() }),
    );
  }

  async sweepUnfinished(olderThanMs: number): Promise<number> {
    const { bucket, keyPrefix: prefix, listPageSize: pageSize } = this.#settings;
    const before = new Date((await this.now()).getTime() - olderThanMs);
    return await this.#connection.run('the sweep of unfinished uploads', (access) =>
      sweepUploads(access, { bucket, prefix, pageSize, before, own: this.#uploading }),
    );
  }

  async now(): Promise<Date> {
    // An answer of the server says what time it is there.
    await this.ping();
    return this.#connection.serverTime();
  }

  async freeBytes(): Promise<bigint | undefined> {
    await this.#connection.access();
    return await this.#usage?.freeBytes();
  }

  async ping(): Promise<void> {
    const abortSignal = AbortSignal.timeout(pingTimeoutMs);
    await this.#connection.run(`bucket ${this.#settings.bucket}`, async ({ sdk, client }) => {
      try {
        await client.send(new sdk.HeadBucketCommand({ Bucket: this.#settings.bucket }), { abortSignal });
      } catch (fault) {
        if (isNotFound(fault))
          throw new TransientError(`there is no bucket ${this.#settings.bucket}`, { cause: fault });
        throw fault;
      }
    });
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #s3Key(key: string): string {
    if (!objectKeyPattern.test(key)) {
      throw new InputError(`an object key matching ${objectKeyPattern.source}`, JSON.stringify(key).slice(0, 200));
    }
    return `${this.#settings.keyPrefix}${key}`;
  }
}

/** Bytes of the whole object, from the response to a read of all or a part of it. */
function sizeOf({ ContentRange, ContentLength }: GetObjectCommandOutput): number {
  const total = /\/([0-9]+)$/.exec(ContentRange ?? '')?.[1];
  return total === undefined ? (ContentLength ?? 0) : Number(total);
}

function bodyOf({ Body }: GetObjectCommandOutput): S3Body {
  if (!Body || !('destroy' in Body)) throw new TransientError('expected a stream from the object store, got none');
  // Without a listener a connection that breaks between two pulls would end the process.
  return Body.on('error', () => undefined);
}
