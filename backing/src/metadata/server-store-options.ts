import { maxTimerMs, positiveInteger } from '../contracts/positive-integer.ts';
import { type ServerTls, serverAddress } from './server-tls.ts';

/** How a metadata store reaches a database server. Every wait is bounded; a bound that is hit is a `TransientError`. */
export interface ServerStoreOptions {
  /** With user, password and database, such as `postgres://user:secret@host:5432/factorial`. */
  readonly url: string;
  /**
   * Authorities, PEM, that the server's certificate and name are checked against; TLS is used then. Default: TLS as the URL's `sslmode`
   * says, against those that Node trusts.
   */
  readonly certificateAuthorities?: string;
  /** Connections at most; the migration takes one more while it runs. Default 10. */
  readonly poolMax?: number;
  /** Calls that wait for a free connection at most; more are refused at once. Default 1,000. */
  readonly poolQueueMax?: number;
  /** Wait for a free connection or for a new one to be ready. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** One statement, waits for locks included; a call is a transaction of a few statements. Default 10,000. */
  readonly statementTimeoutMs?: number;
  /** A connection unused for longer is closed. Default 10,000. */
  readonly idleTimeoutMs?: number;
  /** One statement of a migration, the wait for another process's migration included. Default 600,000. */
  readonly migrationTimeoutMs?: number;
  /** `touchRead` writes at most once in this time per row. Default 60,000. */
  readonly readGranularityMs?: number;
}

export interface ServerStoreSettings extends Readonly<Required<Omit<ServerStoreOptions, 'certificateAuthorities'>>> {
  /** How connections are encrypted; undefined: not at all. */
  readonly tls: ServerTls | undefined;
}

const defaults = {
  poolMax: 10,
  poolQueueMax: 1_000,
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 10_000,
  idleTimeoutMs: 10_000,
  migrationTimeoutMs: 600_000,
  readGranularityMs: 60_000,
} as const;

type Bound = keyof typeof defaults;

/** The options with their defaults. `InputError` when a bound is no integer from 1 to 2^31−1. */
export function serverStoreSettings(options: ServerStoreOptions): ServerStoreSettings {
  const bounds = (Object.keys(defaults) as Bound[]).map(
    (name) => [name, positiveInteger(name, options[name] ?? defaults[name], maxTimerMs)] as const,
  );
  const { url, tls } = serverAddress(options.url, options.certificateAuthorities);
  return Object.freeze({ ...defaults, ...Object.fromEntries(bounds), url, tls });
}

/** The same server for a migration: one connection, and time for a change of a large table. */
export function migrationSettings(settings: ServerStoreSettings): ServerStoreSettings {
  return Object.freeze({ ...settings, poolMax: 1, statementTimeoutMs: settings.migrationTimeoutMs });
}
