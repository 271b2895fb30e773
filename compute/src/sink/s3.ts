import { Readable } from 'node:stream';
import { AbortMultipartUploadCommand, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { InputError } from '../errors.ts';
import { partBytesFor } from './part-size.ts';
import { pullDigits } from './pull-digits.ts';
import type { DigitSink, DigitSource, SinkReceipt, StoredPart } from './sink.ts';

export { maxParts, partBytesFor } from './part-size.ts';

const defaultQueueSize = 2;
const maxQueueSize = 64;

export interface S3SinkOptions {
  /** The caller's client; set `requestChecksumCalculation: 'WHEN_REQUIRED'` on it for servers without trailing checksums. */
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  /** Parts in flight, 1…64; memory is about partBytes · (queueSize + 2). 2 when absent. */
  readonly queueSize?: number;
}

/**
 * Writes the digits as one S3 object: a single PUT when they fit one part, a multipart upload otherwise. The object appears when all
 * parts are there; on failure or abort the upload is aborted on the server before `write` rejects.
 */
export class S3Sink implements DigitSink {
  readonly #options: S3SinkOptions;
  readonly #queueSize: number;

  constructor(options: S3SinkOptions) {
    const queueSize = options.queueSize ?? defaultQueueSize;
    if (!Number.isInteger(queueSize) || queueSize < 1 || queueSize > maxQueueSize) {
      throw new InputError(`a queueSize from 1 to ${maxQueueSize}`, `${queueSize}`);
    }
    this.#options = options;
    this.#queueSize = queueSize;
  }

  async write(source: DigitSource): Promise<SinkReceipt> {
    const { client, bucket, key } = this.#options;
    source.signal?.throwIfAborted();
    const partBytes = partBytesFor(source.digitCount);
    const parts: StoredPart[] = [];
    const upload = new Upload({
      client: observe(client, source.signal, parts),
      params: { Bucket: bucket, Key: key, Body: Readable.from(pullDigits(source)), ContentType: 'text/plain' },
      partSize: partBytes,
      queueSize: this.#queueSize,
      leavePartsOnError: false,
    });
    try {
      const stored = await upload.done();
      const eTag = stored.ETag ?? '';
      if (parts.length === 0) parts.push({ partNumber: 1, bytes: Number(source.digitCount), eTag });
      parts.sort((a, b) => a.partNumber - b.partNumber);
      return { bytes: source.digitCount, location: `s3://${bucket}/${key}`, eTag, parts };
    } catch (error) {
      source.signal?.throwIfAborted();
      throw error;
    }
  }
}

/**
 * The client as `Upload` sees it: the signal is on every request but the one that cleans up, and stored parts are noted. `Upload.abort`
 * would not do: it rejects at once, with parts still in flight and the upload still open on the server.
 */
function observe(client: S3Client, signal: AbortSignal | undefined, parts: StoredPart[]): S3Client {
  const send = async (command: Parameters<S3Client['send']>[0]): Promise<unknown> => {
    const cleansUp = command instanceof AbortMultipartUploadCommand;
    const options = cleansUp || signal === undefined ? {} : { abortSignal: signal };
    if (!(command instanceof UploadPartCommand)) return client.send(command, options);
    const { PartNumber, Body } = command.input;
    const stored = await client.send(command, options);
    parts.push({ partNumber: PartNumber!, bytes: (Body as Uint8Array).byteLength, eTag: stored.ETag ?? '' });
    return stored;
  };
  return Object.create(client, { send: { value: send } });
}
