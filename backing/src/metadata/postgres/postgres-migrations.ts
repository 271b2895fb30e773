import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Times are to the millisecond by PostgreSQL's clock. `fillfactor` leaves room to renew leases within the page. */
const createFactorials = `
create table factorials (
  n bigint primary key check (n >= 0),
  s3_key text not null,
  size bigint,
  checksum varchar(64) check (length(checksum) = 64),
  status factorial_status not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  last_read_at timestamptz,
  digits bigint not null,
  trailing_zeros bigint not null,
  client text not null,
  attempt integer not null,
  failures integer not null,
  interruptions integer not null,
  lease_owner text,
  lease_until timestamptz,
  fence bigint not null,
  progress text,
  error text,
  check ((lease_owner is null) = (lease_until is null)),
  check (lease_until is null or status in ('calculating', 'uploading')),
  check (status <> 'done' or (size is not null and checksum is not null))
) with (fillfactor = 80)`;

const initialSchema: readonly string[] = [
  `create type factorial_status as enum ('calculating', 'uploading', 'done', 'failed')`,
  createFactorials,
  'create index factorials_created on factorials (created_at, n)',
  'create index factorials_status on factorials (status, size)',
  'create index factorials_client on factorials (client, status)',
  'create index factorials_lease on factorials (lease_until, n) where lease_until is not null',
  'create unique index factorials_key on factorials (s3_key)',
  `create table coordination (
    id integer primary key default 1 check (id = 1),
    max_factorial bigint,
    cur_factorial bigint
  )`,
  'insert into coordination default values',
];

/** Finds the nearest stored result below an n, however many rows are not done. */
const doneIndex: readonly string[] = ["create index factorials_done on factorials (n) where status = 'done'"];

/** The sums over all rows, so that a request is judged without reading them. */
const usageTable: readonly string[] = [
  `create table store_usage (
    id integer primary key default 1 check (id = 1),
    object_count bigint not null check (object_count >= 0),
    stored_bytes numeric(40) not null check (stored_bytes >= 0),
    reserved_bytes numeric(40) not null check (reserved_bytes >= 0)
  )`,
  `insert into store_usage
    select 1, count(*) filter (where status = 'done'), coalesce(sum(size) filter (where status = 'done'), 0),
      coalesce(sum(digits) filter (where status in ('calculating', 'uploading')), 0)
    from factorials`,
];

/** Ends of attempts that were not announced yet. */
const outcomesTable: readonly string[] = [
  `create table outcomes (
    n bigint not null,
    attempt integer not null,
    event text not null,
    ended_at timestamptz not null,
    primary key (n, attempt)
  )`,
  'create index outcomes_ended on outcomes (ended_at, n)',
];

function migrationOf(statements: readonly string[]): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const statement of statements) await sql.raw(statement).execute(db);
    },
  };
}

/** By name, in the order they apply, each in a transaction. A released migration never changes: add another. */
export const postgresMigrations: Readonly<Record<string, Migration>> = Object.freeze({
  '0001_factorials': migrationOf(initialSchema),
  '0002_done': migrationOf(doneIndex),
  '0003_usage': migrationOf(usageTable),
  '0004_outcomes': migrationOf(outcomesTable),
});
