import { randomBytes } from 'node:crypto';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { startMariadb } from '../../dev/mariadb.ts';
import type { TestDatabase } from './test-database.ts';

/** On the server that `TEST_MYSQL_URL` names; else on one started for this. */
export async function openMysqlDatabase(): Promise<TestDatabase> {
  const given = process.env.TEST_MYSQL_URL;
  if (given !== undefined && given !== '') return await createMysqlDatabase(given, async () => {});
  const server = await startMariadb();
  return await createMysqlDatabase(server.url, () => server.dispose());
}

/** A new database on a server that runs already. */
export async function createMysqlDatabase(serverUrl: string, onDropped: () => Promise<void>): Promise<TestDatabase> {
  const name = `factorial_test_${randomBytes(6).toString('hex')}`;
  await executeOn(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    execute: (statement) => executeOn(url.href, statement),
    async drop() {
      await executeOn(serverUrl, `drop database ${name}`);
      await onDropped();
    },
  };
}

async function executeOn(url: string, statements: string) {
  const connection = await createConnection({ uri: url, dateStrings: true, supportBigNumbers: true });
  try {
    let rows: readonly Readonly<Record<string, unknown>>[] = [];
    for (const statement of statements.split(';')) {
      const [answer] = await connection.query<RowDataPacket[]>(statement);
      rows = Array.isArray(answer) ? answer : [];
    }
    return rows;
  } finally {
    await connection.end();
  }
}
