import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { TransientError } from '../../contracts/errors.ts';
import { translateS3Fault } from './s3-faults.ts';
import type { S3Settings } from './s3-options.ts';

export type S3Sdk = typeof import('@aws-sdk/client-s3');

/** The SDK and its client, loaded and made at first use: a service that keeps its objects elsewhere pays nothing for them. */
export interface S3Access {
  readonly sdk: S3Sdk;
  readonly client: S3Client;
}

export class S3Connection {
  readonly #settings: S3Settings;
  #access: Promise<S3Access> | undefined;
  #closed = false;
  #serverTimeMs = Date.now();
  #serverTimeReadMs = performance.now();

  constructor(settings: S3Settings) {
    this.#settings = settings;
  }

  async access(): Promise<S3Access> {
    if (this.#closed) throw new TransientError('the object store is closed');
    this.#access ??= import('@aws-sdk/client-s3').then((sdk) => {
      const client = new sdk.S3Client(clientConfiguration(this.#settings));
      this.#readClock(client);
      return { sdk, client };
    });
    return await this.#access;
  }

  /** The server's time by its last answer that named it; this machine's before the first. */
  serverTime(): Date {
    return new Date(this.#serverTimeMs + performance.now() - this.#serverTimeReadMs);
  }

  #readClock(client: S3Client): void {
    client.middlewareStack.add(
      (next) => async (request) => {
        const output = await next(request);
        const { headers } = (output.response ?? {}) as { readonly headers?: Readonly<Record<string, string>> };
        const serverTimeMs = Date.parse(headers?.date ?? '');
        if (!Number.isNaN(serverTimeMs)) {
          this.#serverTimeMs = serverTimeMs;
          this.#serverTimeReadMs = performance.now();
        }
        return output;
      },
      { step: 'deserialize', name: 'readServerClock', priority: 'low' },
    );
  }

  /**
   * Run one operation against the server. Faults of the SDK come out translated, the abort of the signal as its own reason. `what` says
   * what was asked, for messages.
   */
  async run<Result>(
    what: string,
    operation: (access: S3Access) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    const access = await this.access();
    signal?.throwIfAborted();
    try {
      return await operation(access);
    } catch (fault) {
      signal?.throwIfAborted();
      throw translateS3Fault(fault, what);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const access = await this.#access;
    access?.client.destroy();
  }
}

function clientConfiguration(settings: S3Settings): S3ClientConfig {
  const { region, endpoint, forcePathStyle, maxAttempts, connectTimeoutMs, idleTimeoutMs, maxConnections } = settings;
  const agent = { keepAlive: true, maxSockets: maxConnections };
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle,
    maxAttempts,
    retryMode: 'standard',
    // Sums are asked for by name where they are wanted; unasked, servers other than S3 refuse them.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      socketTimeout: idleTimeoutMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
}
