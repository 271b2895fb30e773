import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { type RunningSwift, startSwift } from '../dev/swift.ts';
import { createS3ObjectStore } from '../src/objects/s3/s3-object-store.ts';
import type { S3ObjectStoreOptions } from '../src/objects/s3/s3-options.ts';

/** The S3 server of a test file: private, or the one that TEST_S3_ENDPOINT names (with AWS_… credentials beside it). */
export interface TestS3 {
  /** Undefined when the server is not ours to stop. */
  readonly swift: RunningSwift | undefined;
  readonly endpoint: string;
  /** For looking behind the store's back. */
  readonly client: S3Client;
  makeBucket(): Promise<string>;
  /** A store in a bucket of this server; `through` another endpoint, such as a proxy. */
  store(options: Partial<S3ObjectStoreOptions> & { readonly bucket: string }): ReturnType<typeof createS3ObjectStore>;
  dispose(): Promise<void>;
}

/** For tests that break the server: always one of their own. */
export async function startPrivateS3(): Promise<TestS3> {
  return await testS3(await startSwift());
}

export async function startTestS3(): Promise<TestS3> {
  return process.env.TEST_S3_ENDPOINT ? testS3(undefined, process.env.TEST_S3_ENDPOINT) : await startPrivateS3();
}

function testS3(swift: RunningSwift | undefined, endpoint = swift?.url ?? ''): TestS3 {
  // The store takes credentials from the environment only.
  if (swift) {
    process.env.AWS_ACCESS_KEY_ID = swift.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = swift.secretAccessKey;
  }
  const region = swift?.region ?? process.env.AWS_REGION ?? 'us-east-1';
  const client = new S3Client({ endpoint, region, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
  return {
    swift,
    endpoint,
    client,
    async makeBucket() {
      const bucket = `test-${randomUUID()}`;
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      return bucket;
    },
    store: (options) => createS3ObjectStore({ endpoint, region, forcePathStyle: true, ...options }),
    async dispose() {
      client.destroy();
      await swift?.dispose();
    },
  };
}
