import { sql } from 'kysely';
import type { StoredTime } from '../schema.ts';
import type { StoreDialect } from '../store-dialect.ts';
import { isAbortedTransaction, translatePostgresFault } from './postgres-faults.ts';
import { postgresMigrations } from './postgres-migrations.ts';

/**
 * The time at which the statement began: the same all through a statement, unlike `clock_timestamp`, and fresh after the
 * transaction waited for a lock, unlike `now`. Truncated to what a `Date` can hold.
 */
const now = sql<StoredTime>`date_trunc('milliseconds', statement_timestamp())`;

/** How the metadata store speaks to PostgreSQL ≥ 13 at its default isolation, read committed. */
export const postgresStoreDialect: StoreDialect = Object.freeze<StoreDialect>({
  migrations: postgresMigrations,
  heldAlone: false,
  now,
  nowPlus: (offsetMs) => sql<StoredTime>`${now} + ${offsetMs}::bigint * interval '1 millisecond'`,
  toDate: (stored) => (stored instanceof Date ? stored : new Date(String(stored))),
  fromDate: (date) => date,
  insertIfAbsent: (query) => query.onConflict((conflict) => conflict.column('n').doNothing()),
  forUpdate: (query) => query.forUpdate(),
  isAborted: isAbortedTransaction,
  translateError: translatePostgresFault,
});
