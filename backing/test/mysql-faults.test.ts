import { MysqlDialect } from 'kysely';
import { startMariadb } from '../dev/mariadb.ts';
import { createMysqlMetadataStore } from '../src/metadata/mysql/mysql-metadata-store.ts';
import { BoundedMysqlPool } from '../src/metadata/mysql/mysql-pool.ts';
import { serverStoreSettings } from '../src/metadata/server-store-options.ts';
import { describeMetadataServerFaults } from './contracts/metadata-server-faults.ts';
import { createMysqlDatabase } from './databases/mysql-database.ts';

describeMetadataServerFaults('the MySQL metadata store', {
  startServer: startMariadb,
  createDatabase: createMysqlDatabase,
  createStore: createMysqlMetadataStore,
  connection: (options) => new MysqlDialect({ pool: new BoundedMysqlPool(serverStoreSettings(options)) }),
  sleepStatement: (seconds) => `select sleep(${seconds})`,
  strangeDefaults: () => [
    `set global time_zone = '+05:30'`,
    `set global sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'`,
    'set global transaction isolation level serializable',
    'set global autocommit = 1',
  ],
  usualDefaults: [
    `set global time_zone = 'SYSTEM'`,
    'set global sql_mode = default',
    'set global transaction isolation level repeatable read',
  ],
});
