import { sql } from 'kysely';
import type { StoredTime } from '../schema.ts';
import type { StoreDialect } from '../store-dialect.ts';
import { isAbortedTransaction, translateMysqlFault } from './mysql-faults.ts';
import { mysqlMigrations } from './mysql-migrations.ts';

/** UTC to the millisecond, the same all through a statement. */
const now = sql<StoredTime>`utc_timestamp(3)`;

const microsecondsPerMs = 1_000;

/** How the metadata store speaks to MySQL ≥ 8.0.16 (which first enforces checks) and MariaDB ≥ 10.6, as `sessionStatements` sets them. */
export const mysqlStoreDialect: StoreDialect = Object.freeze<StoreDialect>({
  migrations: mysqlMigrations,
  heldAlone: false,
  now,
  nowPlus: (offsetMs) => sql<StoredTime>`${now} + interval ${offsetMs * microsecondsPerMs} microsecond`,
  // The driver hands over `2026-01-31 12:34:56.789000`; a Date drops what is below a millisecond, which is zero.
  toDate: (stored) => new Date(`${String(stored).replace(' ', 'T')}Z`),
  fromDate: (date) => date.toISOString().slice(0, -1).replace('T', ' '),
  // Takes the row's exclusive lock at once. `insert ignore` takes a shared one, and two of those deadlock when both want more.
  insertIfAbsent: (query) => query.onDuplicateKeyUpdate({ n: sql<bigint>`n` }),
  forUpdate: (query) => query.forUpdate(),
  isAborted: isAbortedTransaction,
  translateError: translateMysqlFault,
});
