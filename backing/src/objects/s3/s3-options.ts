import { InputError } from '@factorial/compute';
import { maxTimerMs, positiveInteger } from '../../contracts/positive-integer.ts';

/** Server-side encryption asked for with every object. */
export interface S3Encryption {
  readonly algorithm: 'AES256' | 'aws:kms';
  /** Key of `aws:kms`; the account's default key when absent. */
  readonly keyId?: string;
}

/**
 * How parts are compared with what was sent. `crc64nvme`: S3 itself; the server checks each part and the SDK sends the sum. `md5`: servers
 * without it; each part goes with its Content-MD5, and its ETag (the MD5 of what is stored) is compared.
 */
export type PartChecksum = 'crc64nvme' | 'md5';

/** Credentials come from the SDK's default chain only (environment, profile, role). */
export interface S3ObjectStoreOptions {
  readonly bucket: string;
  /** Default: the SDK's own choice (environment or profile). */
  readonly region?: string;
  /** URL of a server other than S3 itself. */
  readonly endpoint?: string;
  /** The bucket in the path instead of the host name. Default false. */
  readonly forcePathStyle?: boolean;
  /** Before every key, such as `factorial/`; ends in `/`. Default none. */
  readonly keyPrefix?: string;
  /** Bytes of objects held at most. Unbounded when absent. */
  readonly maxBytes?: bigint;
  /** How long a count of what is stored is believed, while `maxBytes` is set. Default 60,000. */
  readonly usageMaxAgeMs?: number;
  /** Default `crc64nvme` on S3 itself, `md5` where an endpoint is given. */
  readonly partChecksum?: PartChecksum;
  readonly encryption?: S3Encryption;
  /** Parts in flight per object, 1 … 64. Default 2. */
  readonly partsInFlight?: number;
  /** Tries of one request, the first included. Default 5. */
  readonly maxAttempts?: number;
  /** Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** A connection on which nothing moves for this long fails its request. Default 30,000. */
  readonly idleTimeoutMs?: number;
  /** Connections at once. Default 50. */
  readonly maxConnections?: number;
  /** Entries asked for with one page of a list, 1 … 1,000. Default 1,000. */
  readonly listPageSize?: number;
  /** Times a broken read is taken up again without a byte in between. Default 5. */
  readonly maxReadResumes?: number;
}

type Optional = 'region' | 'endpoint' | 'maxBytes' | 'encryption';
export type S3Settings = Readonly<
  Required<Omit<S3ObjectStoreOptions, Optional>> & Pick<S3ObjectStoreOptions, Optional>
>;

const bucketPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/;
const keyPrefixPattern = /^([A-Za-z0-9][A-Za-z0-9._-]{0,127}\/){0,4}$/;

/** The options checked and completed. Throws `InputError`. */
export function s3Settings(options: S3ObjectStoreOptions): S3Settings {
  const { bucket, endpoint, keyPrefix = '', maxBytes } = options;
  if (!bucketPattern.test(bucket)) throw new InputError('a bucket name', JSON.stringify(bucket).slice(0, 100));
  if (!keyPrefixPattern.test(keyPrefix)) {
    throw new InputError(`a key prefix matching ${keyPrefixPattern.source}`, JSON.stringify(keyPrefix).slice(0, 200));
  }
  if (endpoint !== undefined && !/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : '')) {
    throw new InputError('an endpoint such as https://host:port', JSON.stringify(endpoint).slice(0, 200));
  }
  if (maxBytes !== undefined && maxBytes < 0n) throw new InputError('maxBytes from 0', String(maxBytes));
  return Object.freeze({
    ...options,
    keyPrefix,
    forcePathStyle: options.forcePathStyle ?? false,
    usageMaxAgeMs: positiveInteger('usageMaxAgeMs', options.usageMaxAgeMs ?? 60_000, maxTimerMs),
    partChecksum: options.partChecksum ?? (endpoint === undefined ? 'crc64nvme' : 'md5'),
    partsInFlight: positiveInteger('partsInFlight', options.partsInFlight ?? 2, 64),
    maxAttempts: positiveInteger('maxAttempts', options.maxAttempts ?? 5, 20),
    connectTimeoutMs: positiveInteger('connectTimeoutMs', options.connectTimeoutMs ?? 5_000, maxTimerMs),
    idleTimeoutMs: positiveInteger('idleTimeoutMs', options.idleTimeoutMs ?? 30_000, maxTimerMs),
    maxConnections: positiveInteger('maxConnections', options.maxConnections ?? 50, 10_000),
    listPageSize: positiveInteger('listPageSize', options.listPageSize ?? 1_000, 1_000),
    maxReadResumes: positiveInteger('maxReadResumes', options.maxReadResumes ?? 5, 1_000),
  });
}
