import { createHash } from 'node:crypto';
import type {
  CompleteMultipartUploadCommand,
  CompleteMultipartUploadCommandOutput,
  HeadObjectCommandOutput,
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
import { S3PartSums, unquoted } from './s3-part-sums.ts';

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
  readonly #sums = new S3PartSums();

  constructor(access: S3Access, settings: S3Settings, key: string, onUploadId: (uploadId: string) => void) {
    this.#access = access;
    this.#settings = settings;
    this.#key = key;
    this.#onUploadId = onUploadId;
    if (settings.encryption?.algorithm === 'aws:kms') this.#sums.ignoreETags();
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
    const stored = await this.#head(abortable(signal));
    if (stored.ContentLength !== Number(bytes)) {
      throw new CorruptObjectError(`expected ${bytes} bytes stored as ${this.#key}, got ${stored.ContentLength}`);
    }
    const difference = this.#sums.difference(stored);
    if (difference !== undefined) throw new CorruptObjectError(`expected of ${this.#key} ${difference}`);
    return stored.ETag === undefined ? undefined : unquoted(stored.ETag);
  }

  async #send(command: Command, options: SendOptions): Promise<unknown> {
    const { sdk, client } = this.#access;
    if (command instanceof sdk.CreateMultipartUploadCommand) {
      this.#sums.beginMultipart();
      Object.assign(command.input, this.#encryption(), this.#algorithm(), this.#wholeType());
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
    const body = input.Body as Uint8Array;
    const md5 = createHash('md5').update(body).digest();
    const checked = { ...input, ...this.#algorithm(), ...this.#contentMd5(md5) };
    for (let tries = 1; ; tries++) {
      try {
        const stored = await send(checked);
        this.#comparePart(partNumber, md5, stored);
        this.#sums.set(partNumber, { md5, bytes: body.byteLength, crc64Nvme: stored.ChecksumCRC64NVME });
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
    if (stored.ServerSideEncryption?.startsWith('aws:kms')) this.#sums.ignoreETags();
    const eTag = unquoted(stored.ETag);
    if (!this.#sums.hasMd5ETags || !/^[0-9a-f]{32}$/.test(eTag) || eTag === md5.toString('hex')) return;
    throw new CorruptObjectError(`expected the ETag ${md5.toString('hex')} of part ${partNumber}, got ${eTag}`);
  }

  /**
   * The server is told size and sum of the whole, where it gave those of every part, and refuses to put together anything else. When its
   * answer is lost the object may be there all the same: then it is, if it is the one that was sent.
   */
  async #complete(command: CompleteMultipartUploadCommand, options: SendOptions): Promise<unknown> {
    const { client } = this.#access;
    const { crc64Nvme, bytes } = this.#sums;
    if (crc64Nvme !== undefined && this.#settings.partChecksum === 'crc64nvme') {
      Object.assign(command.input, this.#wholeType(), { ChecksumCRC64NVME: crc64Nvme, MpuObjectSize: bytes });
    }
    try {
      return await client.send(command, options);
    } catch (fault) {
      const status = statusOf(fault);
      const unknown = status === undefined || status >= 500 || status === 200 || hasName(fault, 'NoSuchUpload');
      const found = unknown && (await this.#findCompleted(options));
      if (found) return found;
      throw fault;
    }
  }

  async #findCompleted(options: SendOptions): Promise<CompleteMultipartUploadCommandOutput | undefined> {
    try {
      const stored = await this.#head(options);
      if (!this.#sums.isSame(stored)) return undefined;
      return { $metadata: stored.$metadata, ...(stored.ETag === undefined ? {} : { ETag: stored.ETag }) };
    } catch {
      // Then the fault of the completion stands.
      return undefined;
    }
  }

  async #head(options: SendOptions): Promise<HeadObjectCommandOutput> {
    const { sdk, client } = this.#access;
    const { bucket: Bucket, partChecksum } = this.#settings;
    const mode = partChecksum === 'crc64nvme' ? { ChecksumMode: 'ENABLED' as const } : {};
    return await client.send(new sdk.HeadObjectCommand({ Bucket, Key: this.#key, ...mode }), options);
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

  /** One sum over the whole object, as S3 has it by default for this algorithm. */
  #wholeType() {
    return this.#settings.partChecksum === 'crc64nvme' ? { ChecksumType: 'FULL_OBJECT' as const } : {};
  }

  #contentMd5(md5: Buffer) {
    return this.#settings.partChecksum === 'md5' ? { ContentMD5: md5.toString('base64') } : {};
  }
}

function abortable(signal: AbortSignal | undefined): SendOptions {
  return signal === undefined ? {} : { abortSignal: signal };
}
