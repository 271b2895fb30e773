import { createHash } from 'node:crypto';
import type {
  CompleteMultipartUploadCommandOutput,
  PutObjectCommandInput,
  PutObjectCommandOutput,
  S3Client,
  UploadPartCommandInput,
  UploadPartCommandOutput,
} from '@aws-sdk/client-s3';
import { CorruptObjectError } from '../../contracts/errors.ts';
import type { S3Access } from './s3-connection.ts';
import { hasName, statusOf, translateS3Fault } from './s3-faults.ts';
import type { S3Settings } from './s3-options.ts';

type Command = Parameters<S3Client['send']>[0];
type StoredBody = UploadPartCommandOutput | PutObjectCommandOutput;
interface SendOptions {
  readonly abortSignal?: AbortSignal;
}

/** How servers say that what arrived is not what was signed or summed. */
const corruptedInTransit = ['BadDigest', 'XAmzContentSHA256Mismatch', 'XAmzContentChecksumMismatch'];
/** Times one part is sent when what arrived is not what was sent. */
const maxPartTries = 3;

/**
 * The client as the sink of one object sees it. Asks for encryption and checksums, compares what the server stored of every part with
 * what was sent and sends a corrupted part again, finds out whether a completion whose answer was lost took place, and at the end
 * compares the whole object.
 */
export class S3CheckedUpload {
  /** To be used by one sink. Its faults are translated already, so that those of the digits' source stay apart. */
  readonly client: S3Client;
  readonly #access: S3Access;
  readonly #settings: S3Settings;
  readonly #key: string;
  readonly #onUploadId: (uploadId: string) => void;
  /** MD5 by part number. A single PUT has one part. Bounded by S3's 10,000 parts. */
  readonly #partMd5 = new Map<number, Buffer>();
  #isMultipart = false;
  #comparable = true;

  constructor(access: S3Access, settings: S3Settings, key: string, onUploadId: (uploadId: string) => void) {
    this.#access = access;
    this.#settings = settings;
    this.#key = key;
    this.#onUploadId = onUploadId;
    this.client = Object.create(access.client, {
      send: {
        value: async (command: Command, options: SendOptions = {}) => {
          try {
            return await this.#send(command, options);
          } catch (fault) {
            options.abortSignal?.throwIfAborted();
            throw translateS3Fault(fault, key);
          }
        },
      },
    });
  }

  /** Compare the finished object with what was sent, and say its ETag. `CorruptObjectError` when they differ. */
  async verifyWhole(bytes: bigint, signal?: AbortSignal): Promise<string | undefined> {
    const { sdk, client } = this.#access;
    const head = new sdk.HeadObjectCommand({ Bucket: this.#settings.bucket, Key: this.#key });
    const stored = await client.send(head, abortable(signal));
    const expected = this.#expectedETag();
    if (stored.ContentLength !== Number(bytes)) {
      throw new CorruptObjectError(`expected ${bytes} bytes stored as ${this.#key}, got ${stored.ContentLength}`);
    }
    if (expected !== undefined && unquoted(stored.ETag) !== expected) {
      throw new CorruptObjectError(`expected the ETag ${expected} of ${this.#key}, got ${stored.ETag}`);
    }
    return stored.ETag === undefined ? undefined : unquoted(stored.ETag);
  }

  async #send(command: Command, options: SendOptions): Promise<unknown> {
    const { sdk, client } = this.#access;
    if (command instanceof sdk.CreateMultipartUploadCommand) {
      this.#isMultipart = true;
      Object.assign(command.input, this.#encryption(), this.#algorithm());
      const created = await client.send(command, options);
      this.#onUploadId(created.UploadId ?? '');
      return created;
    }
    if (command instanceof sdk.UploadPartCommand) {
      const again = (input: UploadPartCommandInput) => client.send(new sdk.UploadPartCommand(input), options);
      return await this.#sendChecked(command.input, command.input.PartNumber ?? 0, again);
    }
    if (command instanceof sdk.PutObjectCommand) {
      const input = { ...command.input, ...this.#encryption() };
      const again = (body: PutObjectCommandInput) => client.send(new sdk.PutObjectCommand(body), options);
      return await this.#sendChecked(input, 1, again);
    }
    if (command instanceof sdk.CompleteMultipartUploadCommand) return await this.#complete(command, options);
    return await client.send(command, options);
  }

  /** Send one body until the server has it unharmed, at most `maxPartTries` times. */
  async #sendChecked<Input extends UploadPartCommandInput | PutObjectCommandInput>(
    input: Input,
    partNumber: number,
    send: (input: Input) => Promise<StoredBody>,
  ): Promise<StoredBody> {
    const md5 = createHash('md5')
      .update(input.Body as Uint8Array)
      .digest();
    this.#partMd5.set(partNumber, md5);
    const checked = { ...input, ...this.#algorithm(), ...this.#contentMd5(md5) };
    for (let tries = 1; ; tries++) {
      try {
        const stored = await send(checked);
        this.#comparePart(partNumber, md5, stored);
        return stored;
      } catch (fault) {
        const corrupted = fault instanceof CorruptObjectError || hasName(fault, ...corruptedInTransit);
        if (!corrupted) throw fault;
        if (tries === maxPartTries) {
          throw new CorruptObjectError(
            `expected part ${partNumber} of ${this.#key} to arrive as it was sent, got it corrupted ${tries} times`,
            { cause: fault },
          );
        }
      }
    }
  }

  #comparePart(partNumber: number, md5: Buffer, stored: StoredBody): void {
    // Encrypted with a key of one's own, the ETag is no MD5; the server has compared the checksum that was sent along.
    if (stored.ServerSideEncryption?.startsWith('aws:kms')) this.#comparable = false;
    const eTag = unquoted(stored.ETag);
    if (!this.#comparable || !/^[0-9a-f]{32}$/.test(eTag) || eTag === md5.toString('hex')) return;
    throw new CorruptObjectError(`expected the ETag ${md5.toString('hex')} of part ${partNumber}, got ${eTag}`);
  }

  /** When the answer is lost the object may be there all the same: then it is, if it is the one that was sent. */
  async #complete(command: Command, options: SendOptions): Promise<unknown> {
    const { sdk, client } = this.#access;
    try {
      return await client.send(command as InstanceType<typeof sdk.CompleteMultipartUploadCommand>, options);
    } catch (fault) {
      const status = statusOf(fault);
      const unknown = status === undefined || status >= 500 || status === 200 || hasName(fault, 'NoSuchUpload');
      const found = unknown && (await this.#findCompleted(options));
      if (found) return found;
      throw fault;
    }
  }

  async #findCompleted(options: SendOptions): Promise<CompleteMultipartUploadCommandOutput | undefined> {
    const { sdk, client } = this.#access;
    const expected = this.#expectedETag();
    if (expected === undefined) return undefined;
    try {
      const { bucket: Bucket } = this.#settings;
      const stored = await client.send(new sdk.HeadObjectCommand({ Bucket, Key: this.#key }), options);
      if (unquoted(stored.ETag) !== expected) return undefined;
      return { $metadata: stored.$metadata, ...(stored.ETag === undefined ? {} : { ETag: stored.ETag }) };
    } catch {
      // Then the fault of the completion stands.
      return undefined;
    }
  }

  /** MD5 of a single PUT; of a multipart object the MD5 of its parts' MD5s and their number. Undefined where ETags are no MD5s. */
  #expectedETag(): string | undefined {
    if (!this.#comparable || this.#settings.encryption?.algorithm === 'aws:kms') return undefined;
    const parts = [...this.#partMd5].sort(([a], [b]) => a - b).map(([, md5]) => md5);
    if (!this.#isMultipart) return parts[0]?.toString('hex');
    return `${createHash('md5').update(Buffer.concat(parts)).digest('hex')}-${parts.length}`;
  }

  #encryption() {
    const { encryption } = this.#settings;
    if (!encryption) return {};
    const { algorithm, keyId } = encryption;
    return { ServerSideEncryption: algorithm, ...(keyId === undefined ? {} : { SSEKMSKeyId: keyId }) };
  }

  #algorithm() {
    return this.#settings.partChecksum === 'crc64nvme' ? { ChecksumAlgorithm: 'CRC64NVME' as const } : {};
  }

  #contentMd5(md5: Buffer) {
    return this.#settings.partChecksum === 'md5' ? { ContentMD5: md5.toString('base64') } : {};
  }
}

function abortable(signal: AbortSignal | undefined): SendOptions {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** An ETag without its quotation marks. */
export function unquoted(eTag: string | undefined): string {
  return (eTag ?? '').replaceAll('"', '');
}
