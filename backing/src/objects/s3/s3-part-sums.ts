import { createHash } from 'node:crypto';
import { combineCrc64Nvme, crc64NvmeFactor } from './crc64nvme.ts';

/** What is known of one part: sent with this MD5; stored with this CRC-64/NVME, base64, where the server tells it. */
export interface PartSums {
  readonly md5: Buffer;
  readonly bytes: number;
  readonly crc64Nvme?: string | undefined;
}

/** What a server says of a whole object. */
export interface WholeSums {
  readonly ETag?: string | undefined;
  readonly ContentLength?: number | undefined;
  readonly ChecksumCRC64NVME?: string | undefined;
  readonly ChecksumType?: string | undefined;
}

/** The sums of the parts of one object, and those the whole must have for them. A single PUT has one part. Bounded by S3's 10,000 parts. */
export class S3PartSums {
  readonly #parts = new Map<number, PartSums>();
  #isMultipart = false;
  #hasMd5ETags = true;

  /** The object is uploaded in parts: its ETag is made of theirs. */
  beginMultipart(): void {
    this.#isMultipart = true;
  }

  /** ETags are no MD5s, as under a key of one's own. */
  ignoreETags(): void {
    this.#hasMd5ETags = false;
  }

  get hasMd5ETags(): boolean {
    return this.#hasMd5ETags;
  }

  set(partNumber: number, sums: PartSums): void {
    this.#parts.set(partNumber, sums);
  }

  get bytes(): number {
    return this.#inOrder().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** MD5 of a single PUT; of a multipart object the MD5 of its parts' MD5s and their number. Undefined where ETags are no MD5s. */
  get eTag(): string | undefined {
    if (!this.#hasMd5ETags) return undefined;
    const parts = this.#inOrder().map(({ md5 }) => md5);
    if (!this.#isMultipart) return parts[0]?.toString('hex');
    return `${createHash('md5').update(Buffer.concat(parts)).digest('hex')}-${parts.length}`;
  }

  /** CRC-64/NVME of the whole, base64, from those of the parts as the server stored them; undefined when it told none of one of them. */
  get crc64Nvme(): string | undefined {
    let whole: bigint | undefined;
    const factors = new Map<number, bigint>();
    for (const { crc64Nvme, bytes } of this.#inOrder()) {
      if (crc64Nvme === undefined) return undefined;
      const part = Buffer.from(crc64Nvme, 'base64').readBigUInt64BE();
      const factor = factors.get(bytes) ?? crc64NvmeFactor(bytes);
      factors.set(bytes, factor);
      whole = whole === undefined ? part : combineCrc64Nvme(whole, part, factor);
    }
    if (whole === undefined) return undefined;
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(whole);
    return bytes.toString('base64');
  }

  /** How a stored object differs from the parts, as `expected …, got …`; undefined when all that can be compared is the same. */
  difference(stored: WholeSums): string | undefined {
    const { eTag, crc64Nvme } = this;
    if (eTag !== undefined && unquoted(stored.ETag) !== eTag) return `the ETag ${eTag}, got ${stored.ETag}`;
    const { ChecksumCRC64NVME: storedCrc, ChecksumType: type = 'FULL_OBJECT' } = stored;
    if (crc64Nvme === undefined || storedCrc === undefined || type !== 'FULL_OBJECT') return undefined;
    return storedCrc === crc64Nvme ? undefined : `the CRC-64/NVME ${crc64Nvme}, got ${storedCrc}`;
  }

  /** Whether a stored object is certainly the one that was sent: there is something to compare, and it is the same. */
  isSame(stored: WholeSums): boolean {
    const comparable =
      this.eTag !== undefined || (this.crc64Nvme !== undefined && stored.ChecksumCRC64NVME !== undefined);
    return comparable && stored.ContentLength === this.bytes && this.difference(stored) === undefined;
  }

  #inOrder(): readonly PartSums[] {
    return [...this.#parts].sort(([a], [b]) => a - b).map(([, sums]) => sums);
  }
}

/** An ETag without its quotation marks. */
export function unquoted(eTag: string | undefined): string {
  return (eTag ?? '').replaceAll('"', '');
}
