import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { factorialStatuses } from '../src/contracts/status.ts';
import type { MetadataStore } from '../src/metadata/metadata-store.ts';
import { createMysqlMetadataStore } from '../src/metadata/mysql/mysql-metadata-store.ts';
import { describeMetadataStoreContract, type MetadataStoreUnderTest } from './contracts/metadata-store.contract.ts';
import { describeRowModelContract } from './contracts/row-model.contract.ts';
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

async function makeStore(): Promise<MetadataStoreUnderTest> {
  await database.execute(`delete from factorials; delete from outcomes; update coordination set max_factorial = null, cur_factorial = null;
    update store_usage set object_count = 0, stored_bytes = 0, reserved_bytes = 0`);
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
}

describeMetadataStoreContract('the MySQL metadata store', makeStore);
describeRowModelContract('the MySQL metadata store', makeStore);

describe('the MySQL schema', () => {
  test('has the columns that other systems read, with their types', async () => {
    const columns = await database.execute(`
      select column_name as name, column_type as type, is_nullable as nullable
      from information_schema.columns where table_name = 'factorials' and table_schema = database()
      order by ordinal_position limit 6`);
    expect(
      columns.map(({ name, type, nullable }) => [name, String(type).replace('bigint(20)', 'bigint'), nullable]),
    ).toEqual([
      ['n', 'bigint', 'NO'],
      ['s3_key', 'varchar(255)', 'NO'],
      ['size', 'bigint', 'YES'],
      ['checksum', 'varchar(64)', 'YES'],
      ['status', `enum(${factorialStatuses.map((status) => `'${status}'`).join(',')})`, 'NO'],
      ['created_at', 'datetime(6)', 'NO'],
    ]);
  });

  test('refuses a second coordination row and a done row without its checksum', async () => {
    await expect(database.execute('insert into coordination (id) values (2)')).rejects.toThrow();
    await expect(
      database.execute(
        `insert into factorials values (1, 'k', null, null, 'done', now(), now(), null, 1, 0, 'c', 1, 0, 0, null, null, 0, null, null)`,
      ),
    ).rejects.toThrow('factorials_done');
  });

  test('every part of the migration may run again, as after an interruption, and keeps the rows', async () => {
    const { store, dispose } = await makeStore();
    await store.request({ n: 5n, digits: 3n, trailingZeros: 1n, client: 'c' });
    const before = await store.find(5n);
    await database.execute('delete from kysely_migration');
    expect(await store.migrate()).toEqual(['0001_factorials', '0002_done', '0003_usage', '0004_outcomes']);
    expect(await store.find(5n)).toEqual(before);
    expect(await store.coordination()).toEqual({ maxFactorial: null, curFactorial: null });
    await dispose();
  });
});
