import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Schema of the embedded store. Times are integers: milliseconds since 1970 by SQLite's clock. `strict` makes SQLite refuse
 * a value of another type.
 */
const createFactorials = `
create table factorials (
  n integer primary key check (n >= 0),
  s3_key text not null,
  size integer,
  checksum text check (length(checksum) = 64),
  status text not null check (status in ('calculating', 'uploading', 'done', 'failed')),
  created_at integer not null,
  updated_at integer not null,
  last_read_at integer,
  digits integer not null,
  trailing_zeros integer not null,
  client text not null,
  attempt integer not null,
  failures integer not null,
  interruptions integer not null,
  lease_owner text,
  lease_until integer,
  fence integer not null,
  progress text,
  error text,
  check ((lease_owner is null) = (lease_until is null)),
  check (lease_until is null or status in ('calculating', 'uploading')),
  check (status <> 'done' or (size is not null and checksum is not null))
) strict`;

const initialSchema: readonly string[] = [
  createFactorials,
  'create index factorials_created on factorials (created_at, n)',
  'create index factorials_status on factorials (status, size)',
  'create index factorials_client on factorials (client, status)',
  'create index factorials_lease on factorials (lease_until, n)',
  'create unique index factorials_key on factorials (s3_key)',
  `create table coordination (
    id integer primary key check (id = 1),
    max_factorial integer,
    cur_factorial integer
  ) strict`,
  'insert into coordination (id) values (1)',
];

/** Finds the nearest stored result below an n, however many rows are not done. */
const doneIndex: readonly string[] = ["create index factorials_done on factorials (n) where status = 'done'"];

/** The sums over all rows, so that a request is judged without reading them. Text: they may pass 64 bits. */
const usageTable: readonly string[] = [
  `create table store_usage (
    id integer primary key check (id = 1),
    object_count integer not null check (object_count >= 0),
    stored_bytes text not null check (stored_bytes not like '-%'),
    reserved_bytes text not null check (reserved_bytes not like '-%')
  ) strict`,
  `insert into store_usage
    select 1, count(*) filter (where status = 'done'),
      cast(coalesce(sum(size) filter (where status = 'done'), 0) as text),
      cast(coalesce(sum(digits) filter (where status in ('calculating', 'uploading')), 0) as text)
    from factorials`,
];

/** Ends of attempts that were not announced yet. */
const outcomesTable: readonly string[] = [
  `create table outcomes (
    n integer not null,
    attempt integer not null,
    event text not null,
    ended_at integer not null,
    primary key (n, attempt)
  ) strict`,
  'create index outcomes_ended on outcomes (ended_at, n)',
];

function migrationOf(statements: readonly string[]): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const statement of statements) await sql.raw(statement).execute(db);
    },
  };
}

/** By name, in the order they apply. A released migration never changes: add another. */
export const sqliteMigrations: Readonly<Record<string, Migration>> = Object.freeze({
  '0001_factorials': migrationOf(initialSchema),
  '0002_done': migrationOf(doneIndex),
  '0003_usage': migrationOf(usageTable),
  '0004_outcomes': migrationOf(outcomesTable),
});
