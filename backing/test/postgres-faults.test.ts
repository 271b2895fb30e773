import { PostgresDialect } from 'kysely';
import { startPostgres } from '../dev/postgres.ts';
import { createPostgresMetadataStore } from '../src/metadata/postgres/postgres-metadata-store.ts';
import { BoundedPostgresPool } from '../src/metadata/postgres/postgres-pool.ts';
import { serverStoreSettings } from '../src/metadata/server-store-options.ts';
import { describeMetadataServerFaults } from './contracts/metadata-server-faults.ts';
import { createPostgresDatabase } from './databases/postgres-database.ts';

describeMetadataServerFaults('the PostgreSQL metadata store', {
  startServer: startPostgres,
  createDatabase: createPostgresDatabase,
  createStore: createPostgresMetadataStore,
  connection: (options) => new PostgresDialect({ pool: new BoundedPostgresPool(serverStoreSettings(options)) }),
  sleepStatement: (seconds) => `select pg_sleep(${seconds})`,
  strangeDefaults: (name) => [
    `alter database ${name} set timezone = 'Asia/Kolkata'`,
    `alter database ${name} set default_transaction_isolation = 'serializable'`,
    `alter database ${name} set datestyle = 'German'`,
    `alter database ${name} set intervalstyle = 'sql_standard'`,
  ],
  usualDefaults: [],
});
