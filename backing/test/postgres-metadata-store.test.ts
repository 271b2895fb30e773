import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { factorialStatuses } from '../src/contracts/status.ts';
import type { MetadataStore } from '../src/metadata/metadata-store.ts';
import { createPostgresMetadataStore } from '../src/metadata/postgres/postgres-metadata-store.ts';
import { describeMetadataStoreContract, type MetadataStoreUnderTest } from './contracts/metadata-store.contract.ts';
import { describeRowModelContract } from './contracts/row-model.contract.ts';
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

async function makeStore(): Promise<MetadataStoreUnderTest> {
  await database.execute(`truncate factorials, outcomes; update coordination set max_factorial = null, cur_factorial = null;
    update store_usage set object_count = 0, stored_bytes = 0, reserved_bytes = 0`);
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
}

describeMetadataStoreContract('the PostgreSQL metadata store', makeStore);
describeRowModelContract('the PostgreSQL metadata store', makeStore);

describe('the PostgreSQL schema', () => {
  test('has the columns that other systems read, with their types', async () => {
    const columns = await database.execute(`
      select column_name, udt_name, is_nullable, character_maximum_length as length
      from information_schema.columns where table_name = 'factorials' order by ordinal_position limit 6`);
    expect(columns.map((column) => Object.values(column))).toEqual([
      ['n', 'int8', 'NO', null],
      ['s3_key', 'text', 'NO', null],
      ['size', 'int8', 'YES', null],
      ['checksum', 'varchar', 'YES', 64],
      ['status', 'factorial_status', 'NO', null],
      ['created_at', 'timestamptz', 'NO', null],
    ]);
    const values = await database.execute(`select unnest(enum_range(null::factorial_status))::text as value`);
    expect(values.map((row) => row.value)).toEqual(factorialStatuses);
  });

  test('refuses a second coordination row and a done row without its checksum', async () => {
    await expect(database.execute('insert into coordination default values')).rejects.toThrow();
    await expect(
      database.execute(
        `insert into factorials values (1, 'k', null, null, 'done', now(), now(), null, 1, 0, 'c', 1, 0, 0, null, null, 0)`,
      ),
    ).rejects.toThrow('check constraint');
  });

  test('answers the list, the sweep and the largest live lease from indexes', async () => {
    const plans = await database.execute(`
      truncate factorials;
      insert into factorials select n, 'k' || n, 1, repeat('a', 64), 'done', now() + n * interval '1 ms', now(), null, 1, 0, 'c', 1, 0, 0, null, null, 0
        from generate_series(1, 20000) n;
      analyze factorials;
      explain select * from factorials order by created_at desc, n desc limit 50`);
    expect(JSON.stringify(plans)).toContain('factorials_created');
    const lease = await database.execute(
      'explain select max(n) from factorials where lease_until > statement_timestamp()',
    );
    expect(JSON.stringify(lease)).toContain('factorials_lease');
    const sweep = await database.execute(
      `explain select n from factorials where status in ('calculating', 'uploading') order by created_at limit 10`,
    );
    expect(JSON.stringify(sweep)).toContain('factorials_status');
  });
});
