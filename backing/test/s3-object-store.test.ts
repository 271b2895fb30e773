import { afterAll, beforeAll } from 'vitest';
import { describeObjectStoreContract } from './contracts/object-store.contract.ts';
import { startTestS3, type TestS3 } from './s3-test-support.ts';

let s3: TestS3;

beforeAll(async () => {
  s3 = await startTestS3();
});

afterAll(async () => {
  await s3?.dispose();
});

describeObjectStoreContract('the S3 object store', async () => {
  const store = s3.store({ bucket: await s3.makeBucket(), keyPrefix: 'results/' });
  return { store, dispose: () => store.close() };
});
