import { type Kysely, type Selectable, type SqlBool, sql, type Transaction } from 'kysely';
import { refreshCoordination } from './coordination.ts';
import { toFactorialRow } from './factorial-row.ts';
import type { ClaimLimits, ClaimOutcome, StoredProgress } from './metadata-store.ts';
import { makeObjectKey } from './object-key.ts';
import { recordOutcome } from './outcomes.ts';
import { assertInt64, assertInteger, assertLeaseMs, assertText, encodeProgress, encodeReason } from './ranges.ts';
import type { FactorialsTable, MetadataSchema } from './schema.ts';
import type { StoreDialect } from './store-dialect.ts';
import { changeUsage } from './usage.ts';

/** Drivers answer a comparison with a boolean, an integer, or its text. */
type LockedRecord = Selectable<FactorialsTable> & { readonly lease_live: SqlBool | bigint | string | null };

/** See `MetadataStore.claim`. The row is locked, then judged by the database's clock, then changed, in one transaction. */
export async function claimRow(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  n: bigint,
  owner: string,
  limits: ClaimLimits,
): Promise<ClaimOutcome> {
  assertInt64('n', n);
  assertText('owner', owner, 200);
  assertLeaseMs(limits.leaseMs);
  assertInteger('maxInterruptions', limits.maxInterruptions, 1, 1_000_000);
  return await db.transaction().execute(async (transaction) => {
    const record = await lockRecord(transaction, dialect, n);
    if (record === undefined) return { kind: 'unknown' };
    if (record.status === 'done' || record.status === 'failed') {
      return { kind: 'settled', row: toFactorialRow(dialect, record) };
    }
    if (Number(record.lease_live) === 1) return { kind: 'leased', row: toFactorialRow(dialect, record) };
    const interruptions = Number(record.interruptions) + (record.lease_owner === null ? 0 : 1);
    return interruptions >= limits.maxInterruptions
      ? await giveUp(transaction, dialect, record, interruptions)
      : await take(transaction, dialect, record, { owner, leaseMs: limits.leaseMs, interruptions });
  });
}

async function lockRecord(
  transaction: Transaction<MetadataSchema>,
  dialect: StoreDialect,
  n: bigint,
): Promise<LockedRecord | undefined> {
  return await dialect
    .forUpdate(
      transaction
        .selectFrom('factorials')
        .selectAll()
        .select(sql<SqlBool | bigint | string | null>`lease_until > ${dialect.now}`.as('lease_live'))
        .where('n', '=', n),
    )
    .executeTakeFirst();
}

async function take(
  transaction: Transaction<MetadataSchema>,
  dialect: StoreDialect,
  record: LockedRecord,
  taker: { readonly owner: string; readonly leaseMs: number; readonly interruptions: number },
): Promise<ClaimOutcome> {
  const n = BigInt(record.n);
  const attempt = Number(record.attempt);
  const fence = BigInt(record.fence) + 1n;
  const objectKey = makeObjectKey(n, attempt);
  await transaction
    .updateTable('factorials')
    .set({
      status: 'calculating',
      s3_key: objectKey,
      lease_owner: taker.owner,
      lease_until: dialect.nowPlus(taker.leaseMs),
      fence,
      interruptions: taker.interruptions,
      progress: null,
      updated_at: dialect.now,
    })
    .where('n', '=', n)
    .execute();
  await refreshCoordination(transaction, dialect);
  const claim = Object.freeze({ n, owner: taker.owner, fence, attempt, objectKey });
  return { kind: 'claimed', claim, row: await rereadRow(transaction, dialect, n) };
}

async function giveUp(
  transaction: Transaction<MetadataSchema>,
  dialect: StoreDialect,
  record: LockedRecord,
  interruptions: number,
): Promise<ClaimOutcome> {
  const n = BigInt(record.n);
  const error = encodeReason({
    code: 'interrupted-too-often',
    message: `the calculation was interrupted ${interruptions} times (its worker stopped without a word)`,
  });
  await transaction
    .updateTable('factorials')
    .set({
      status: 'failed',
      lease_owner: null,
      lease_until: null,
      fence: BigInt(record.fence) + 1n,
      interruptions,
      progress: null,
      error,
      updated_at: dialect.now,
    })
    .where('n', '=', n)
    .execute();
  await refreshCoordination(transaction, dialect);
  const row = await rereadRow(transaction, dialect, n);
  await recordOutcome(transaction, dialect, row);
  await changeUsage(transaction, dialect, { reservedBytes: -row.digits });
  return { kind: 'settled', row };
}

async function rereadRow(transaction: Transaction<MetadataSchema>, dialect: StoreDialect, n: bigint) {
  const record = await transaction.selectFrom('factorials').selectAll().where('n', '=', n).executeTakeFirstOrThrow();
  return toFactorialRow(dialect, record);
}

/** See `MetadataStore.noteWaiting`. The note also tells the sweep that the request is in somebody's hands. */
export async function noteRowWaiting(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  n: bigint,
  attempt: number,
  progress: StoredProgress,
): Promise<boolean> {
  assertInt64('n', n);
  assertInteger('attempt', attempt, 1, 2 ** 31 - 1);
  const { numUpdatedRows } = await db
    .updateTable('factorials')
    .set({ progress: encodeProgress(progress), updated_at: dialect.now })
    .where('n', '=', n)
    .where('attempt', '=', attempt)
    .where('status', 'in', ['calculating', 'uploading'])
    .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<=', dialect.now)]))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** See `MetadataStore.claimable`. Also lets `cur_factorial` forget leases that ran out. */
export async function claimableRows(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  limit: number,
  idleMs: number,
): Promise<readonly { readonly n: bigint; readonly attempt: number }[]> {
  assertInteger('limit', limit, 1, 10_000);
  assertInteger('idleMs', idleMs, 0, 86_400_000);
  return await db.transaction().execute(async (transaction) => {
    await refreshCoordination(transaction, dialect);
    const records = await transaction
      .selectFrom('factorials')
      .select(['n', 'attempt'])
      .where('status', 'in', ['calculating', 'uploading'])
      .where((eb) =>
        eb.or([
          eb.and([eb('lease_until', 'is', null), eb('updated_at', '<=', dialect.nowPlus(-idleMs))]),
          eb('lease_until', '<=', dialect.now),
        ]),
      )
      .orderBy('created_at')
      .orderBy('n')
      .limit(limit)
      .execute();
    return records.map((record) => ({ n: BigInt(record.n), attempt: Number(record.attempt) }));
  });
}
