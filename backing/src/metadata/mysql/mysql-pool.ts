import type { MysqlPool, MysqlPoolConnection, MysqlQueryResult } from 'kysely';
import type { Pool, PoolConnection, QueryError } from 'mysql2';
import { withDeadline } from '../../contracts/deadline.ts';
import { OpenSockets } from '../open-sockets.ts';
import type { ServerStoreSettings } from '../server-store-options.ts';
import { connectionFault, endsConnection } from './mysql-faults.ts';
import { sessionStatements } from './mysql-session.ts';

/** The server ends a statement by itself; only when it does not answer at all the client gives up, this much later. */
const answerGraceMs = 1_000;

/**
 * Connections to MySQL for Kysely, none of which can hang a call: the pool's queue is bounded in length and time, each statement
 * on the server and here, and a connection that failed once is never used again. The driver is loaded at first use.
 */
export class BoundedMysqlPool implements MysqlPool {
  readonly #settings: ServerStoreSettings;
  readonly #sockets = new OpenSockets();
  readonly #prepared = new WeakSet<PoolConnection>();
  #pool: Promise<Pool> | undefined;

  constructor(settings: ServerStoreSettings) {
    this.#settings = settings;
  }

  getConnection(callback: (error: unknown, connection: MysqlPoolConnection) => void): void {
    this.#acquire().then(
      (connection) => callback(undefined, connection),
      // Kysely looks at the error first.
      (fault: unknown) => callback(connectionFault(fault), undefined as never),
    );
  }

  /** Waits for running calls, which are bounded; connections that do not say goodbye in time are cut. */
  end(callback: (error: unknown) => void): void {
    this.#end().then(() => callback(undefined), callback);
  }

  async #acquire(): Promise<MysqlPoolConnection> {
    this.#pool ??= this.#open();
    const pool = await this.#pool;
    const { connectTimeoutMs, statementTimeoutMs } = this.#settings;
    const connection = await withDeadline(takeConnection(pool), connectTimeoutMs, 'a connection to MySQL', (late) =>
      late.release(),
    );
    const bounded = new BoundedConnection(connection, statementTimeoutMs + answerGraceMs);
    if (this.#prepared.has(connection)) return bounded.connection;
    try {
      for (const statement of sessionStatements(statementTimeoutMs)) await bounded.run(statement);
    } catch (fault) {
      connection.destroy();
      throw fault;
    }
    this.#prepared.add(connection);
    return bounded.connection;
  }

  async #end(): Promise<void> {
    if (this.#pool === undefined) return;
    const pool = await this.#pool;
    const cut = setTimeout(() => this.#sockets.cut(), this.#settings.statementTimeoutMs + answerGraceMs);
    try {
      await new Promise<void>((resolve, reject) => pool.end((fault) => (fault ? reject(fault) : resolve())));
      await this.#sockets.settle(answerGraceMs);
    } finally {
      clearTimeout(cut);
    }
  }

  async #open(): Promise<Pool> {
    const { createPool } = await import('mysql2');
    const { url, tls, poolMax, poolQueueMax, connectTimeoutMs, idleTimeoutMs } = this.#settings;
    const pool = createPool({
      uri: url,
      ...(tls === undefined ? {} : { ssl: { ...tls, verifyIdentity: tls.rejectUnauthorized } }),
      connectionLimit: poolMax,
      queueLimit: poolQueueMax,
      connectTimeout: connectTimeoutMs,
      idleTimeout: idleTimeoutMs,
      // Below the limit, or idle connections would never be closed.
      maxIdle: poolMax - 1,
      charset: 'utf8mb4',
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
      stream: ({ config }: { readonly config: { readonly host: string; readonly port: number } }) =>
        this.#sockets.make().connect(config.port, config.host),
      // An update reports the rows it found, also those that it left as they were.
      flags: ['FOUND_ROWS'],
    });
    // An idle connection was lost: the pool has dropped it already, and the next call makes a new one.
    pool.on('connection', (connection) => void connection.on('error', () => {}));
    return pool;
  }
}

function takeConnection(pool: Pool): Promise<PoolConnection> {
  return new Promise((resolve, reject) => {
    pool.getConnection((fault, connection) => (fault ? reject(fault) : resolve(connection)));
  });
}

/** One use of a pooled connection. */
class BoundedConnection {
  readonly #connection: PoolConnection;
  readonly #answerTimeoutMs: number;
  #broken: unknown;

  constructor(connection: PoolConnection, answerTimeoutMs: number) {
    this.#connection = connection;
    this.#answerTimeoutMs = answerTimeoutMs;
  }

  /** As Kysely sees it. The other form of `query`, a stream, is not used. */
  get connection(): MysqlPoolConnection {
    const query = (
      text: string,
      parameters: unknown,
      callback?: (error: unknown, result: MysqlQueryResult) => void,
    ) => {
      this.run(text, parameters).then(
        (result) => callback?.(undefined, result),
        (fault: unknown) => callback?.(fault, []),
      );
    };
    return {
      config: {},
      threadId: this.#connection.threadId ?? 0,
      connect: (callback) => callback?.(undefined),
      destroy: () => this.#connection.destroy(),
      query: query as unknown as MysqlPoolConnection['query'],
      release: () => this.#release(),
    };
  }

  async run(text: string, parameters: unknown = []): Promise<MysqlQueryResult> {
    if (this.#broken !== undefined) throw connectionFault(this.#broken);
    const answer = new Promise<MysqlQueryResult>((resolve, reject) => {
      this.#connection.query(text, parameters as unknown[], (fault: QueryError | null, result) =>
        fault ? reject(fault) : resolve(result as unknown as MysqlQueryResult),
      );
    });
    try {
      return await withDeadline(answer, this.#answerTimeoutMs, 'an answer of MySQL');
    } catch (fault) {
      if (endsConnection(fault)) this.#broken ??= fault;
      throw connectionFault(fault);
    }
  }

  #release(): void {
    if (this.#broken === undefined) this.#connection.release();
    else this.#connection.destroy();
  }
}
