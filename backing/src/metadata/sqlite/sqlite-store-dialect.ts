import { sql } from 'kysely';
import { CapacityError, TransientError } from '../../contracts/errors.ts';
import type { StoredTime } from '../schema.ts';
import type { StoreDialect } from '../store-dialect.ts';
import { sqliteMigrations } from './sqlite-migrations.ts';

/** SQLite's primary result codes (sqlite.org/rescode.html): the low byte of the extended code. */
const sqliteResult = { busy: 5, locked: 6, noMemory: 7, ioError: 10, full: 13, cannotOpen: 14 } as const;
const transientResults: ReadonlySet<number> = new Set([
  sqliteResult.busy,
  sqliteResult.locked,
  sqliteResult.noMemory,
  sqliteResult.ioError,
  sqliteResult.cannotOpen,
]);

/** Milliseconds since 1970. `unixepoch` with `subsec` is a float of whole milliseconds: rounding makes it exact again. */
const now = sql<StoredTime>`cast(round(unixepoch('now', 'subsec') * 1000) as integer)`;

/** How the metadata store speaks to SQLite ≥ 3.42 through one connection, which alone makes a transaction exclusive. */
export const sqliteStoreDialect: StoreDialect = Object.freeze<StoreDialect>({
  migrations: sqliteMigrations,
  heldAlone: true,
  now,
  nowPlus: (offsetMs) => sql<StoredTime>`${now} + ${BigInt(offsetMs)}`,
  toDate: (stored) => new Date(Number(stored)),
  fromDate: (date) => BigInt(date.getTime()),
  insertIfAbsent: (query) => query.onConflict((conflict) => conflict.column('n').doNothing()),
  forUpdate: (query) => query,
  isAborted: () => false,
  translateError: translateSqliteError,
});

function translateSqliteError(fault: unknown): unknown {
  if (!(fault instanceof Error) || !('errcode' in fault) || typeof fault.errcode !== 'number') return fault;
  const result = fault.errcode & 0xff;
  if (result === sqliteResult.full) {
    return new CapacityError(`expected room for the metadata, got a full disk: ${fault.message}`, { cause: fault });
  }
  return transientResults.has(result)
    ? new TransientError(`the metadata database did not answer: ${fault.message}`, { cause: fault })
    : fault;
}
