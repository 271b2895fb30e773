import { InputError } from '@factorial/compute';
import type { MetadataStore } from './metadata-store.ts';
import { createMysqlMetadataStore } from './mysql/mysql-metadata-store.ts';
import { createPostgresMetadataStore } from './postgres/postgres-metadata-store.ts';
import type { ServerStoreOptions } from './server-store-options.ts';

const creators: Readonly<Record<string, (options: ServerStoreOptions) => MetadataStore>> = Object.freeze({
  'postgres:': createPostgresMetadataStore,
  'postgresql:': createPostgresMetadataStore,
  'mysql:': createMysqlMetadataStore,
  'mariadb:': createMysqlMetadataStore,
});

/** The metadata store on the server that the URL names: `postgres://…` or `mysql://…`. `InputError`, without the URL's secrets, for any other. */
export function openMetadataStore(options: ServerStoreOptions): MetadataStore {
  const scheme = URL.parse(options.url)?.protocol;
  const create = scheme === undefined ? undefined : creators[scheme];
  if (create === undefined) {
    throw new InputError('a database URL that begins with postgres:// or mysql://', scheme ?? 'text that is no URL');
  }
  return create(options);
}
