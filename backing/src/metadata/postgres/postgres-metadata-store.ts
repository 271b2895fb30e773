import { PostgresDialect } from 'kysely';
import { KyselyMetadataStore } from '../kysely-metadata-store.ts';
import type { MetadataStore } from '../metadata-store.ts';
import { migrationSettings, type ServerStoreOptions, serverStoreSettings } from '../server-store-options.ts';
import { BoundedPostgresPool } from './postgres-pool.ts';
import { postgresStoreDialect } from './postgres-store-dialect.ts';

/**
 * The metadata store on PostgreSQL ≥ 13, shared by any number of processes. Connects at the first call, so it can be made while
 * the server is away. Every fault of the connection is a `TransientError` within the bounds of the options; the next call
 * connects anew. The URL must reach the server or a pool in session mode: migrations hold an advisory lock of the session.
 */
export function createPostgresMetadataStore(options: ServerStoreOptions): MetadataStore {
  const settings = serverStoreSettings(options);
  return new KyselyMetadataStore({
    dialect: postgresStoreDialect,
    connection: new PostgresDialect({ pool: new BoundedPostgresPool(settings) }),
    migrationConnection: () => new PostgresDialect({ pool: new BoundedPostgresPool(migrationSettings(settings)) }),
    readGranularityMs: settings.readGranularityMs,
  });
}
