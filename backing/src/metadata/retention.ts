import { type Kysely, sql, type Transaction } from 'kysely';
import { toBigIntOrNull, toFactorialRow } from './factorial-row.ts';
import type { FactorialRow } from './metadata-store.ts';
import { assertInteger } from './ranges.ts';
import type { MetadataSchema } from './schema.ts';
import type { StoreDialect } from './store-dialect.ts';
import { changeUsage } from './usage.ts';

const maxLimit = 1_000;

/** See `MetadataStore.leastRecentlyRead`. */
export async function leastRecentlyReadRows(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  limit: number,
  skip: number,
): Promise<readonly FactorialRow[]> {
  assertInteger('limit', limit, 1, maxLimit);
  assertInteger('skip', skip, 0, Number.MAX_SAFE_INTEGER);
  const records = await db
    .selectFrom('factorials')
    .selectAll()
    .where('status', '=', 'done')
    .orderBy(sql`coalesce(last_read_at, updated_at)`)
    .orderBy('n')
    .limit(limit)
    .offset(skip)
    .execute();
  return records.map((record) => toFactorialRow(dialect, record));
}

/** See `MetadataStore.removeDone`. */
export async function removeDoneRow(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  row: FactorialRow,
): Promise<boolean> {
  return await db.transaction().execute(async (transaction) => {
    const record = await dialect
      .forUpdate(transaction.selectFrom('factorials').selectAll().where('n', '=', row.n))
      .executeTakeFirst();
    if (record === undefined || !isUnchanged(toFactorialRow(dialect, record), row)) return false;
    await transaction.deleteFrom('factorials').where('n', '=', row.n).execute();
    await lowerMaxFactorial(transaction, dialect, row.n);
    await changeUsage(transaction, dialect, { objectCount: -1n, storedBytes: -(toBigIntOrNull(record.size) ?? 0n) });
    return true;
  });
}

function isUnchanged(now: FactorialRow, before: FactorialRow): boolean {
  const readAgain = now.lastReadAt?.getTime() !== before.lastReadAt?.getTime();
  return now.status === 'done' && now.objectKey === before.objectKey && !readAgain;
}

/** When the largest row that was done is gone, the next largest takes its place. */
async function lowerMaxFactorial(
  transaction: Transaction<MetadataSchema>,
  dialect: StoreDialect,
  removed: bigint,
): Promise<void> {
  const stored = await dialect
    .forUpdate(transaction.selectFrom('coordination').select('max_factorial'))
    .executeTakeFirstOrThrow();
  if (toBigIntOrNull(stored.max_factorial) !== removed) return;
  const largest = await transaction
    .selectFrom('factorials')
    .select((eb) => eb.fn.max('n').as('n'))
    .where('status', '=', 'done')
    .executeTakeFirstOrThrow();
  await transaction
    .updateTable('coordination')
    .set({ max_factorial: toBigIntOrNull(largest.n) })
    .execute();
}
