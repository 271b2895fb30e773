import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Times are UTC to the millisecond. Text compares by its bytes. MySQL cannot undo a half-made schema, so each statement may run
 * again after an interruption.
 */
const createFactorials = `
create table if not exists factorials (
  n bigint primary key,
  s3_key varchar(255) character set ascii collate ascii_bin not null,
  size bigint,
  checksum varchar(64) character set ascii collate ascii_bin,
  status enum('calculating', 'uploading', 'done', 'failed') not null,
  created_at datetime(6) not null,
  updated_at datetime(6) not null,
  last_read_at datetime(6),
  digits bigint not null,
  trailing_zeros bigint not null,
  client varbinary(256) not null,
  attempt integer not null,
  failures integer not null,
  interruptions integer not null,
  lease_owner varchar(200),
  lease_until datetime(6),
  fence bigint not null,
  progress text,
  error text,
  constraint factorials_n check (n >= 0),
  constraint factorials_checksum check (length(checksum) = 64),
  constraint factorials_lease_pair check ((lease_owner is null) = (lease_until is null)),
  constraint factorials_lease_status check (lease_until is null or status in ('calculating', 'uploading')),
  constraint factorials_done check (status <> 'done' or (size is not null and checksum is not null)),
  key factorials_created (created_at, n),
  key factorials_status (status, size),
  key factorials_client (client, status),
  key factorials_lease (lease_until, n),
  unique key factorials_key (s3_key)
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin`;

const initialSchema: readonly string[] = [
  createFactorials,
  `create table if not exists coordination (
    id integer primary key default 1,
    max_factorial bigint,
    cur_factorial bigint,
    constraint coordination_one check (id = 1)
  ) engine = InnoDB`,
  'insert ignore into coordination (id) values (1)',
];

/** The sums over all rows, so that a request is judged without reading them. */
const usageTable: readonly string[] = [
  `create table if not exists store_usage (
    id integer primary key default 1,
    object_count bigint not null,
    stored_bytes decimal(40) not null,
    reserved_bytes decimal(40) not null,
    constraint store_usage_one check (id = 1),
    constraint store_usage_sums check (object_count >= 0 and stored_bytes >= 0 and reserved_bytes >= 0)
  ) engine = InnoDB`,
  `insert ignore into store_usage
    select 1, coalesce(sum(status = 'done'), 0), coalesce(sum(case when status = 'done' then size end), 0),
      coalesce(sum(case when status in ('calculating', 'uploading') then digits end), 0)
    from factorials`,
];

/** Ends of attempts that were not announced yet. */
const outcomesTable: readonly string[] = [
  `create table if not exists outcomes (
    n bigint not null,
    attempt integer not null,
    event text not null,
    ended_at datetime(6) not null,
    primary key (n, attempt),
    key outcomes_ended (ended_at, n)
  ) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin`,
];

function migrationOf(statements: readonly string[]): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const statement of statements) await sql.raw(statement).execute(db);
    },
  };
}

/** Finds the nearest stored result below an n, however many rows are not done. */
const doneIndex: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { rows } = await sql`
      select 1 from information_schema.statistics
      where table_schema = database() and table_name = 'factorials' and index_name = 'factorials_done'`.execute(db);
    if (rows.length === 0) await sql.raw('create index factorials_done on factorials (status, n)').execute(db);
  },
};

/** By name, in the order they apply. A released migration never changes: add another. */
export const mysqlMigrations: Readonly<Record<string, Migration>> = Object.freeze({
  '0001_factorials': migrationOf(initialSchema),
  '0002_done': doneIndex,
  '0003_usage': migrationOf(usageTable),
  '0004_outcomes': migrationOf(outcomesTable),
});
