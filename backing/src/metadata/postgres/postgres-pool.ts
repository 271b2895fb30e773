import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { withDeadline } from '../../contracts/deadline.ts';
import { TransientError } from '../../contracts/errors.ts';
import { OpenSockets } from '../open-sockets.ts';
import type { ServerStoreSettings } from '../server-store-options.ts';
import { connectionFault, endsConnection } from './postgres-faults.ts';

/** The server ends a statement by itself; only when it does not answer at all the client gives up, this much later. */
const answerGraceMs = 1_000;

/**
 * Set for each session, whatever the defaults of the role or the database are: a statement must see what was committed while it
 * waited for a lock, and the driver reads times in ISO form alone.
 */
const sessionOptions = '-c default_transaction_isolation=read\\ committed -c datestyle=ISO -c timezone=UTC';

/**
 * Connections to PostgreSQL for Kysely, none of which can hang a call: the pool's queue is bounded in length and time, each
 * statement on the server and here, and a connection that failed once is never used again. The driver is loaded at first use.
 */
export class BoundedPostgresPool implements PostgresPool {
  /** Kysely would make connections of its own with these, to cancel statements; it never does here. */
  readonly options = {};
  readonly #settings: ServerStoreSettings;
  readonly #sockets = new OpenSockets();
  #pool: Promise<Pool> | undefined;

  constructor(settings: ServerStoreSettings) {
    this.#settings = settings;
  }

  async connect(): Promise<PostgresPoolClient> {
    this.#pool ??= this.#open();
    const pool = await this.#pool;
    const { poolQueueMax, statementTimeoutMs } = this.#settings;
    if (pool.waitingCount >= poolQueueMax) {
      throw new TransientError(`expected fewer than ${poolQueueMax} calls waiting for PostgreSQL, got as many`);
    }
    try {
      return boundedClient(await pool.connect(), statementTimeoutMs + answerGraceMs);
    } catch (fault) {
      throw connectionFault(fault);
    }
  }

  /** Waits for running calls, which are bounded; connections that do not say goodbye in time are cut. */
  async end(): Promise<void> {
    if (this.#pool === undefined) return;
    const pool = await this.#pool;
    const cut = setTimeout(() => this.#sockets.cut(), this.#settings.statementTimeoutMs + answerGraceMs);
    try {
      await pool.end();
      await this.#sockets.settle(answerGraceMs);
    } finally {
      clearTimeout(cut);
    }
  }

  async #open(): Promise<Pool> {
    const { default: driver } = await import('pg');
    const { url, tls, poolMax, connectTimeoutMs, statementTimeoutMs, idleTimeoutMs } = this.#settings;
    const pool = new driver.Pool({
      connectionString: url,
      ssl: tls === undefined ? false : { ...tls },
      application_name: 'factorial',
      options: sessionOptions,
      max: poolMax,
      connectionTimeoutMillis: connectTimeoutMs,
      idleTimeoutMillis: idleTimeoutMs,
      statement_timeout: statementTimeoutMs,
      lock_timeout: statementTimeoutMs,
      // A client that froze inside a transaction loses its locks before those waiting for them give up.
      idle_in_transaction_session_timeout: Math.ceil(statementTimeoutMs / 2),
      stream: () => this.#sockets.make(),
    });
    // An idle connection was lost: the pool has dropped it already, and the next call makes a new one.
    pool.on('error', () => {});
    return pool;
  }
}

function boundedClient(client: PoolClient, answerTimeoutMs: number): PostgresPoolClient {
  let broken: unknown;
  const markBroken = (fault: unknown): void => {
    broken ??= fault;
  };
  // Without a listener a connection lost between two statements would end the process.
  client.on('error', markBroken);
  const query = async (text: string, parameters: readonly unknown[] = []) => {
    if (broken !== undefined) throw connectionFault(broken);
    try {
      return await withDeadline(client.query(text, [...parameters]), answerTimeoutMs, 'an answer of PostgreSQL');
    } catch (fault) {
      if (endsConnection(fault)) markBroken(fault);
      throw connectionFault(fault);
    }
  };
  const release = (destroy = false): void => {
    client.off('error', markBroken);
    client.release(destroy || broken !== undefined);
  };
  // The other form of `query`, over a cursor, is for streams, which Kysely makes only when given a cursor class.
  return { query: query as unknown as PostgresPoolClient['query'], release };
}
