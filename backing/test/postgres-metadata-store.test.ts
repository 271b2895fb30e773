import { afterAll, beforeAll } from 'vitest';
import type { MetadataStore } from '../src/metadata/metadata-store.ts';
import { createPostgresMetadataStore } from '../src/metadata/postgres/postgres-metadata-store.ts';
import { describeMetadataStoreContract } from './contracts/metadata-store.contract.ts';
import { openPostgresDatabase } from './databases/postgres-database.ts';
import type { TestDatabase } from './databases/test-database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await openPostgresDatabase();
  const store = createPostgresMetadataStore({ url: database.url });
  await store.migrate();
  await store.close();
});

afterAll(async () => {
  await database.drop();
});

describeMetadataStoreContract('the PostgreSQL metadata store', async () => {
  await database.execute('truncate factorials; update coordination set max_factorial = null, cur_factorial = null');
  const [store, rival] = [1, 2].map(() => createPostgresMetadataStore({ url: database.url })) as [
    MetadataStore,
    MetadataStore,
  ];
  return {
    store,
    rival,
    heldAlone: false,
    async dispose() {
      await Promise.all([store.close(), rival.close()]);
    },
  };
});
