import { afterAll, beforeAll } from 'vitest';
import type { MetadataStore } from '../src/metadata/metadata-store.ts';
import { createMysqlMetadataStore } from '../src/metadata/mysql/mysql-metadata-store.ts';
import { describeMetadataStoreContract } from './contracts/metadata-store.contract.ts';
import { openMysqlDatabase } from './databases/mysql-database.ts';
import type { TestDatabase } from './databases/test-database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await openMysqlDatabase();
  const store = createMysqlMetadataStore({ url: database.url });
  await store.migrate();
  await store.close();
});

afterAll(async () => {
  await database.drop();
});

describeMetadataStoreContract('the MySQL metadata store', async () => {
  await database.execute('delete from factorials; update coordination set max_factorial = null, cur_factorial = null');
  const [store, rival] = [1, 2].map(() => createMysqlMetadataStore({ url: database.url })) as [
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
