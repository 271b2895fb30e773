import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { InputError } from '@factorial/compute';
import { makeFolder } from '../../open/make-folder.ts';
import { KyselyMetadataStore } from '../kysely-metadata-store.ts';
import type { MetadataStore } from '../metadata-store.ts';
import { lockDirectory } from './directory-lock.ts';
import { sqliteConnection } from './sqlite-connection.ts';
import { sqliteStoreDialect } from './sqlite-store-dialect.ts';

export interface SqliteMetadataStoreOptions {
  /** Made when missing; held alone until `close`. */
  readonly directory: string;
  /** How long a statement waits for a tool that reads or writes the file meanwhile; this blocks the process. Default 1,000. */
  readonly busyTimeoutMs?: number;
  /** `touchRead` writes at most once in this time per row. Default 60,000. */
  readonly readGranularityMs?: number;
}

const databaseFileName = 'metadata.sqlite';

/**
 * The embedded metadata store: one SQLite file in a directory that this store holds alone (`DirectoryInUseError` at once
 * otherwise; `InputError` when the directory or the file cannot be used). What a method has answered survives kill -9 and a power failure: WAL with `synchronous = full`.
 * Call `migrate` before anything else.
 */
export function createSqliteMetadataStore(options: SqliteMetadataStoreOptions): MetadataStore {
  makeFolder(options.directory);
  const lock = lockDirectory(options.directory);
  try {
    const database = openDatabase(join(options.directory, databaseFileName), options.busyTimeoutMs ?? 1_000);
    return new KyselyMetadataStore({
      dialect: sqliteStoreDialect,
      connection: sqliteConnection(database),
      ...(options.readGranularityMs === undefined ? {} : { readGranularityMs: options.readGranularityMs }),
      onClosed: () => {
        if (database.isOpen) database.close();
        lock.release();
      },
    });
  } catch (fault) {
    lock.release();
    throw fault;
  }
}

function openDatabase(file: string, busyTimeoutMs: number): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs, readBigInts: true });
  try {
    database.exec('pragma journal_mode = wal; pragma synchronous = full');
    return database;
  } catch (fault) {
    database.close();
    throw new InputError('a metadata database', `${file} (${(fault as Error).message})`, { cause: fault });
  }
}
