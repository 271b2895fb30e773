import type { ColumnType, Generated } from 'kysely';
import type { FactorialStatus } from '../contracts/status.ts';

/** A point in time as the driver hands it over; only the dialect looks inside. */
export type StoredTime = bigint | number | string | Date;

/** A 64-bit integer: drivers answer with a BigInt or decimal text, and take a BigInt. */
type Int64 = ColumnType<bigint | string, bigint, bigint>;

/** Table `factorials`. The first six columns are the ones other systems read; the rest coordinates workers. */
export interface FactorialsTable {
  n: Int64;
  s3_key: string;
  size: ColumnType<bigint | string | null, bigint | null, bigint | null>;
  checksum: string | null;
  status: FactorialStatus;
  created_at: StoredTime;
  updated_at: StoredTime;
  last_read_at: StoredTime | null;
  digits: Int64;
  trailing_zeros: Int64;
  client: string;
  attempt: number | bigint;
  failures: number | bigint;
  interruptions: number | bigint;
  lease_owner: string | null;
  lease_until: StoredTime | null;
  fence: Int64;
  /** JSON of `StoredProgress`. */
  progress: string | null;
  /** JSON of `FailureReason`. */
  error: string | null;
}

/** Table `coordination`: exactly one row. */
export interface CoordinationTable {
  id: Generated<number>;
  max_factorial: ColumnType<bigint | string | null, never, bigint | null>;
  cur_factorial: ColumnType<bigint | string | null, never, bigint | null>;
}

/** Table `store_usage`: exactly one row. Sums of bytes as decimal text: they may pass 64 bits. */
export interface StoreUsageTable {
  id: Generated<number>;
  object_count: Int64;
  stored_bytes: string;
  reserved_bytes: string;
}

/** Table `outcomes`: ends of attempts that other systems were not told of yet. */
export interface OutcomesTable {
  n: Int64;
  attempt: number | bigint;
  /** JSON of `CalculationEvent`. */
  event: string;
  ended_at: StoredTime;
}

export interface MetadataSchema {
  factorials: FactorialsTable;
  coordination: CoordinationTable;
  store_usage: StoreUsageTable;
  outcomes: OutcomesTable;
}
