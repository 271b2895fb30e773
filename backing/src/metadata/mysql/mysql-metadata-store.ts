import { MysqlDialect } from 'kysely';
import { KyselyMetadataStore } from '../kysely-metadata-store.ts';
import type { MetadataStore } from '../metadata-store.ts';
import { migrationSettings, type ServerStoreOptions, serverStoreSettings } from '../server-store-options.ts';
import { BoundedMysqlPool } from './mysql-pool.ts';
import { mysqlStoreDialect } from './mysql-store-dialect.ts';

/**
 * The metadata store on MySQL ≥ 8.0.16 or MariaDB ≥ 10.6, shared by any number of processes. Connects at the first call, so it can
 * be made while the server is away. Every fault of the connection is a `TransientError` within the bounds of the options; the next
 * call connects anew. Migrations hold a lock of the session (`get_lock`), so the URL must reach one server, not a multiplexer.
 */
export function createMysqlMetadataStore(options: ServerStoreOptions): MetadataStore {
  const settings = serverStoreSettings(options);
  return new KyselyMetadataStore({
    dialect: mysqlStoreDialect,
    connection: new MysqlDialect({ pool: new BoundedMysqlPool(settings) }),
    migrationConnection: () => new MysqlDialect({ pool: new BoundedMysqlPool(migrationSettings(settings)) }),
    readGranularityMs: settings.readGranularityMs,
  });
}
