import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { startPostgres } from '../../dev/postgres.ts';
import type { TestDatabase } from './test-database.ts';

/** On the server that `TEST_DATABASE_URL` names, when it names a PostgreSQL; else on one started for this. */
export async function openPostgresDatabase(): Promise<TestDatabase> {
  const given = process.env.TEST_DATABASE_URL;
  if (given?.startsWith('postgres')) return await createPostgresDatabase(given, async () => {});
  const server = await startPostgres();
  return await createPostgresDatabase(server.url, () => server.dispose());
}

/** A new database on a server that runs already. */
export async function createPostgresDatabase(serverUrl: string, onDropped: () => Promise<void>): Promise<TestDatabase> {
  const name = `factorial_test_${randomBytes(6).toString('hex')}`;
  await executeOn(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    execute: (statement) => executeOn(url.href, statement),
    async drop() {
      await executeOn(serverUrl, `drop database ${name} with (force)`);
      await onDropped();
    },
  };
}

async function executeOn(url: string, statement: string) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    // Several statements have several results.
    const last = [await client.query(statement)].flat().at(-1);
    return (last?.rows ?? []) as Readonly<Record<string, unknown>>[];
  } finally {
    await client.end();
  }
}
