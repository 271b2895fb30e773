import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { TransientError } from '../src/contracts/errors.ts';
import { createSqliteMetadataStore } from '../src/metadata/sqlite/sqlite-metadata-store.ts';
import { describeMetadataStoreContract, type MetadataStoreUnderTest } from './contracts/metadata-store.contract.ts';
import { describeRowModelContract } from './contracts/row-model.contract.ts';

async function makeStore(): Promise<MetadataStoreUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'factorial-metadata-'));
  const store = createSqliteMetadataStore({ directory });
  await store.migrate();
  return {
    store,
    // A SQLite directory is held by one store alone.
    rival: store,
    heldAlone: true,
    async dispose() {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

describeMetadataStoreContract('the SQLite metadata store', makeStore);
describeRowModelContract('the SQLite metadata store', makeStore);

describe('the SQLite metadata store', () => {
  async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'factorial-metadata-'));
    try {
      await body(directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  test('names each migration once, when it applies it', async () => {
    await withDirectory(async (directory) => {
      const store = createSqliteMetadataStore({ directory });
      expect(await store.migrate()).toEqual(['0001_factorials', '0002_done', '0003_usage', '0004_outcomes']);
      await store.close();
      const reopened = createSqliteMetadataStore({ directory });
      expect(await reopened.migrate()).toEqual([]);
      await reopened.close();
    });
  });

  test('has the columns that other systems read, with their names and rules', async () => {
    await withDirectory(async (directory) => {
      const store = createSqliteMetadataStore({ directory });
      await store.migrate();
      await store.close();
      const database = new DatabaseSync(join(directory, 'metadata.sqlite'));
      const columns = database
        .prepare('select name, "notnull" as required from pragma_table_info(?)')
        .all('factorials');
      const seed = columns.slice(0, 6).map((column) => column.name);
      expect(seed).toEqual(['n', 's3_key', 'size', 'checksum', 'status', 'created_at']);
      const add = (status: string, checksum: string | null) =>
        database.exec(`insert into factorials values
          (1, 'k', 5, ${checksum === null ? 'null' : `'${checksum}'`}, '${status}', 0, 0, null, 5, 0, 'c', 1, 0, 0, null, null, 0, null, null)`);
      expect(() => add('finished', null)).toThrow(/CHECK/);
      expect(() => add('done', null)).toThrow(/CHECK/);
      expect(() => add('done', 'short')).toThrow(/CHECK/);
      add('done', 'ab'.repeat(32));
      database.close();
    });
  });

  test('a database locked by a tool is a transient fault after the busy timeout, and works again afterwards', async () => {
    await withDirectory(async (directory) => {
      const store = createSqliteMetadataStore({ directory, busyTimeoutMs: 20 });
      await store.migrate();
      const tool = new DatabaseSync(join(directory, 'metadata.sqlite'));
      tool.exec('begin immediate');
      const input = { n: 5n, digits: 3n, trailingZeros: 1n, client: 'c' };
      await expect(store.request(input)).rejects.toThrow(TransientError);
      expect(await store.find(5n)).toBeUndefined();
      tool.exec('rollback');
      tool.close();
      expect((await store.request(input)).created).toBe(true);
      await store.close();
    });
  });

  test('a file that is no database is refused when the store is made, and the directory is free again', async () => {
    await withDirectory(async (directory) => {
      await writeFile(
        join(directory, 'metadata.sqlite'),
        'this is not a database, it only looks like a file'.repeat(100),
      );
      expect(() => createSqliteMetadataStore({ directory })).toThrow(/metadata.sqlite.*not a database/);
      await rm(join(directory, 'metadata.sqlite'));
      const store = createSqliteMetadataStore({ directory });
      await store.migrate();
      await store.close();
    });
  });

  test('a directory that cannot hold the lock is refused by name', async () => {
    await withDirectory(async (directory) => {
      await mkdir(join(directory, 'directory.lock'));
      expect(() => createSqliteMetadataStore({ directory })).toThrow(
        `a directory that can be written, got ${directory}`,
      );
    });
  });

  test('what was read is recorded again once the granularity has passed', async () => {
    await withDirectory(async (directory) => {
      const store = createSqliteMetadataStore({ directory, readGranularityMs: 30 });
      await store.migrate();
      await store.request({ n: 1n, digits: 1n, trailingZeros: 0n, client: 'c' });
      const outcome = await store.claim(1n, 'w', { leaseMs: 1_000, maxInterruptions: 3 });
      if (outcome.kind !== 'claimed') throw new Error(`expected a claim, got ${outcome.kind}`);
      await store.complete(outcome.claim, { size: 1n, checksum: 'ab'.repeat(32) });
      await store.touchRead(1n);
      const first = (await store.find(1n))?.lastReadAt;
      await new Promise((resolve) => setTimeout(resolve, 40));
      await store.touchRead(1n);
      expect((await store.find(1n))?.lastReadAt?.getTime()).toBeGreaterThan(first?.getTime() ?? Number.NaN);
      await store.close();
    });
  });
});
