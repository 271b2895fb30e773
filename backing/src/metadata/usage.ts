import type { Kysely, Transaction } from 'kysely';
import type { StoreUsage } from './metadata-store.ts';
import type { MetadataSchema } from './schema.ts';
import type { StoreDialect } from './store-dialect.ts';

/** See `MetadataStore.usage`. Kept in one row, so that it costs the same however many results there are. */
export async function readUsage(db: Kysely<MetadataSchema>): Promise<StoreUsage> {
  return toUsage(await db.selectFrom('store_usage').selectAll().executeTakeFirstOrThrow());
}

/**
 * Add to the sums, in the transaction of the row they follow; resolves to the new ones. Until that transaction ends nobody else
 * changes them. Locked last, after the row and the coordination row. Sums may pass 64 bits, so they are added here.
 */
export async function changeUsage(
  transaction: Transaction<MetadataSchema>,
  dialect: StoreDialect,
  change: Partial<StoreUsage>,
): Promise<StoreUsage> {
  const before = toUsage(
    await dialect.forUpdate(transaction.selectFrom('store_usage').selectAll()).executeTakeFirstOrThrow(),
  );
  const after = {
    objectCount: before.objectCount + (change.objectCount ?? 0n),
    storedBytes: before.storedBytes + (change.storedBytes ?? 0n),
    reservedBytes: before.reservedBytes + (change.reservedBytes ?? 0n),
  };
  await transaction
    .updateTable('store_usage')
    .set({
      object_count: after.objectCount,
      stored_bytes: String(after.storedBytes),
      reserved_bytes: String(after.reservedBytes),
    })
    .execute();
  return after;
}

function toUsage(record: {
  readonly object_count: bigint | string;
  readonly stored_bytes: string;
  readonly reserved_bytes: string;
}): StoreUsage {
  return {
    objectCount: BigInt(record.object_count),
    storedBytes: BigInt(record.stored_bytes),
    reservedBytes: BigInt(record.reserved_bytes),
  };
}
