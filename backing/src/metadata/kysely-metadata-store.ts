import { setTimeout as pause } from 'node:timers/promises';
import { type Dialect, Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { TransientError } from '../contracts/errors.ts';
import { claimableRows, claimRow, noteRowWaiting } from './claiming.ts';
import { refreshCoordination } from './coordination.ts';
import {
  cancelRow,
  completeRow,
  endAllLeases,
  failRow,
  markRowUploading,
  releaseRow,
  renewLease,
} from './fenced-writes.ts';
import type * as contract from './metadata-store.ts';
import { forgetOutcome, unannouncedEvents } from './outcomes.ts';
import {
  countUnfinishedRows,
  doneRowsBelow,
  findRow,
  isKeyLive,
  listRows,
  requestRow,
  requestRowWithin,
  touchRows,
} from './requests.ts';
import { leastRecentlyReadRows, removeDoneRow } from './retention.ts';
import type { MetadataSchema } from './schema.ts';
import type { StoreDialect } from './store-dialect.ts';
import { readUsage } from './usage.ts';

export interface KyselyMetadataStoreOptions {
  readonly dialect: StoreDialect;
  /** How Kysely reaches the database. */
  readonly connection: Dialect;
  /** Another way to the same database for `migrate`, with time for long statements; closed after each migration. */
  readonly migrationConnection?: () => Dialect;
  /** `touchRead` writes at most once in this time per row. */
  readonly readGranularityMs?: number;
  /** Called once after the connections are closed. */
  readonly onClosed?: () => void;
}

/** Runs of one transaction that the database aborts in favour of another; the last fault is the caller's. */
const maxRounds = 5;
/** Longest pause before the second run; those before later runs may be longer in proportion. */
const maxPauseMs = 20;

/**
 * The metadata store over any database that Kysely and a `StoreDialect` speak. Every change is one transaction that locks the
 * row first and the coordination row second, so two stores on one database neither lose an update nor deadlock.
 */
export class KyselyMetadataStore implements contract.MetadataStore {
  readonly #db: Kysely<MetadataSchema>;
  readonly #dialect: StoreDialect;
  readonly #migrationConnection: (() => Dialect) | undefined;
  readonly #readGranularityMs: number;
  readonly #onClosed: () => void;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #cancelListeners = new Set<(n: bigint) => void>();
  #closing: Promise<void> | undefined;

  constructor(options: KyselyMetadataStoreOptions) {
    this.#db = new Kysely<MetadataSchema>({ dialect: options.connection });
    this.#dialect = options.dialect;
    this.#migrationConnection = options.migrationConnection;
    this.#readGranularityMs = options.readGranularityMs ?? 60_000;
    this.#onClosed = options.onClosed ?? (() => {});
  }

  async migrate(): Promise<readonly string[]> {
    return await this.#run(async () => {
      if (this.#migrationConnection === undefined) return await migrateSchema(this.#db, this.#dialect);
      await using db = new Kysely<MetadataSchema>({ dialect: this.#migrationConnection() });
      return await migrateSchema(db, this.#dialect);
    });
  }

  async ping(): Promise<void> {
    await this.#run(() => sql`select 1`.execute(this.#db));
  }

  async request(input: contract.RequestInput) {
    return await this.#run(() => requestRow(this.#db, this.#dialect, input));
  }

  async requestWithin(input: contract.RequestInput, limits: contract.RequestLimits): Promise<contract.RequestOutcome> {
    return await this.#run(() => requestRowWithin(this.#db, this.#dialect, input, limits));
  }

  async find(n: bigint): Promise<contract.FactorialRow | undefined> {
    return await this.#run(() => findRow(this.#db, this.#dialect, n));
  }

  async list(limit: number, after?: contract.ListCursor): Promise<contract.ListPage> {
    return await this.#run(() => listRows(this.#db, this.#dialect, limit, after));
  }

  async countUnfinished(client: string): Promise<number> {
    return await this.#run(() => countUnfinishedRows(this.#db, client));
  }

  async claim(n: bigint, owner: string, limits: contract.ClaimLimits): Promise<contract.ClaimOutcome> {
    return await this.#run(() => claimRow(this.#db, this.#dialect, n, owner, limits));
  }

  async noteWaiting(n: bigint, attempt: number, progress: contract.StoredProgress): Promise<boolean> {
    return await this.#run(() => noteRowWaiting(this.#db, this.#dialect, n, attempt, progress));
  }

  async renew(claim: contract.Claim, leaseMs: number, progress?: contract.StoredProgress): Promise<void> {
    await this.#run(() => renewLease(this.#db, this.#dialect, claim, leaseMs, progress));
  }

  async markUploading(claim: contract.Claim): Promise<void> {
    await this.#run(() => markRowUploading(this.#db, this.#dialect, claim));
  }

  async complete(claim: contract.Claim, stored: { readonly size: bigint; readonly checksum: string }) {
    return await this.#run(() => completeRow(this.#db, this.#dialect, claim, stored));
  }

  async fail(
    claim: contract.Claim,
    reason: contract.FailureReason,
    policy: { readonly retryable: boolean; readonly maxFailures: number },
  ): Promise<'retry' | 'failed'> {
    return await this.#run(() => failRow(this.#db, this.#dialect, claim, reason, policy));
  }

  async release(claim: contract.Claim): Promise<void> {
    await this.#run(() => releaseRow(this.#db, this.#dialect, claim));
  }

  async cancel(n: bigint): Promise<'cancelled' | 'done' | 'failed' | 'unknown'> {
    const outcome = await this.#run(() => cancelRow(this.#db, this.#dialect, n));
    if (outcome === 'cancelled') for (const listener of this.#cancelListeners) listener(n);
    return outcome;
  }

  onCancel(listener: (n: bigint) => void): () => void {
    this.#cancelListeners.add(listener);
    return () => this.#cancelListeners.delete(listener);
  }

  async claimable(limit: number, idleMs = 0): Promise<readonly { readonly n: bigint; readonly attempt: number }[]> {
    return await this.#run(() => claimableRows(this.#db, this.#dialect, limit, idleMs));
  }

  async releaseAllLeases(): Promise<number> {
    return await this.#run(async () => (this.#dialect.heldAlone ? await endAllLeases(this.#db, this.#dialect) : 0));
  }

  async coordination(): Promise<contract.Coordination> {
    return await this.#run(() =>
      this.#db.transaction().execute((transaction) => refreshCoordination(transaction, this.#dialect)),
    );
  }

  async touchRead(n: bigint): Promise<void> {
    await this.touchReads([n]);
  }

  async touchReads(numbers: readonly bigint[]): Promise<void> {
    await this.#run(() => touchRows(this.#db, this.#dialect, numbers, this.#readGranularityMs));
  }

  async unannounced(limit: number, idleMs = 0) {
    return await this.#run(() => unannouncedEvents(this.#db, this.#dialect, limit, idleMs));
  }

  async announced(n: bigint, attempt: number): Promise<void> {
    await this.#run(() => forgetOutcome(this.#db, n, attempt));
  }

  async usage(): Promise<contract.StoreUsage> {
    return await this.#run(() => readUsage(this.#db));
  }

  async leastRecentlyRead(limit: number, skip = 0): Promise<readonly contract.FactorialRow[]> {
    return await this.#run(() => leastRecentlyReadRows(this.#db, this.#dialect, limit, skip));
  }

  async removeDone(row: contract.FactorialRow): Promise<boolean> {
    return await this.#run(() => removeDoneRow(this.#db, this.#dialect, row));
  }

  async doneBelow(below: bigint, from: bigint, limit: number): Promise<readonly contract.FactorialRow[]> {
    return await this.#run(() => doneRowsBelow(this.#db, this.#dialect, below, from, limit));
  }

  async isObjectKeyLive(objectKey: string): Promise<boolean> {
    return await this.#run(() => isKeyLive(this.#db, objectKey));
  }

  /** Waits for the calls under way; later ones are refused. */
  async close(): Promise<void> {
    this.#closing ??= this.#finish();
    await this.#closing;
  }

  async #finish(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await this.#db.destroy();
    this.#onClosed();
  }

  async #run<Result>(operation: () => Promise<Result>): Promise<Result> {
    if (this.#closing) throw new TransientError('the metadata store is closed');
    const running = this.#untilNotAborted(operation);
    this.#underWay.add(running);
    try {
      return await running;
    } catch (fault) {
      throw this.#dialect.translateError(fault);
    } finally {
      this.#underWay.delete(running);
    }
  }

  async #untilNotAborted<Result>(operation: () => Promise<Result>): Promise<Result> {
    for (let round = 1; ; round++) {
      try {
        return await operation();
      } catch (fault) {
        if (round === maxRounds || !this.#dialect.isAborted(fault)) throw fault;
        await pause(Math.random() * maxPauseMs * round);
      }
    }
  }
}

async function migrateSchema(db: Kysely<MetadataSchema>, { migrations }: StoreDialect): Promise<readonly string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return (results ?? []).filter((result) => result.status === 'Success').map((result) => result.migrationName);
}
