import type { InsertQueryBuilder, InsertResult, RawBuilder, SelectQueryBuilder } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { MetadataSchema, StoredTime } from './schema.ts';

/** What differs between databases; everything else in `metadata/` is the same for all. Times are exact to the millisecond. */
export interface StoreDialect {
  /** Versioned migrations by name; names sort in the order they apply and never change. */
  readonly migrations: Readonly<Record<string, Migration>>;
  /** Whether this process alone uses the database, so that leases it finds at its start have no living holder. */
  readonly heldAlone: boolean;
  /** The database's clock, the only judge of leases. */
  readonly now: RawBuilder<StoredTime>;
  /** `now` moved by this many milliseconds. */
  nowPlus(offsetMs: number): RawBuilder<StoredTime>;
  toDate(stored: StoredTime): Date;
  fromDate(date: Date): StoredTime;
  /** Leave an existing row of the same key as it is. */
  insertIfAbsent(
    query: InsertQueryBuilder<MetadataSchema, 'factorials', InsertResult>,
  ): InsertQueryBuilder<MetadataSchema, 'factorials', InsertResult>;
  /** Lock the selected rows until the transaction ends. */
  forUpdate<Table extends keyof MetadataSchema, Output>(
    query: SelectQueryBuilder<MetadataSchema, Table, Output>,
  ): SelectQueryBuilder<MetadataSchema, Table, Output>;
  /** Whether the database rolled the whole transaction back so that another could go on: it may run again at once. */
  isAborted(fault: unknown): boolean;
  /** The driver's fault in this project's words: `TransientError`, `CapacityError`, or the fault itself when it is neither. */
  translateError(fault: unknown): unknown;
}
