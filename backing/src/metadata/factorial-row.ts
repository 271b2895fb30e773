import type { Selectable } from 'kysely';
import type { FactorialRow, FailureReason, StoredProgress } from './metadata-store.ts';
import type { FactorialsTable } from './schema.ts';
import type { StoreDialect } from './store-dialect.ts';

/** A record of the table as the interface shows it: exact BigInts, dates, parsed JSON. */
export function toFactorialRow(dialect: StoreDialect, record: Selectable<FactorialsTable>): FactorialRow {
  return Object.freeze({
    n: BigInt(record.n),
    objectKey: record.s3_key,
    size: toBigIntOrNull(record.size),
    checksum: record.checksum,
    status: record.status,
    digits: BigInt(record.digits),
    trailingZeros: BigInt(record.trailing_zeros),
    attempt: Number(record.attempt),
    failures: Number(record.failures),
    interruptions: Number(record.interruptions),
    leaseOwner: record.lease_owner,
    leaseUntil: record.lease_until === null ? null : dialect.toDate(record.lease_until),
    fence: BigInt(record.fence),
    progress: record.progress === null ? null : (JSON.parse(record.progress) as StoredProgress),
    error: record.error === null ? null : (JSON.parse(record.error) as FailureReason),
    createdAt: dialect.toDate(record.created_at),
    updatedAt: dialect.toDate(record.updated_at),
    lastReadAt: record.last_read_at === null ? null : dialect.toDate(record.last_read_at),
  });
}

export function toBigIntOrNull(value: bigint | number | string | null): bigint | null {
  return value === null ? null : BigInt(value);
}
