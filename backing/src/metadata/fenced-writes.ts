import { InputError } from '@factorial/compute';
import { type Kysely, sql, type Transaction, type UpdateQueryBuilder, type UpdateResult } from 'kysely';
import { CorruptObjectError, StaleLeaseError } from '../contracts/errors.ts';
import { raiseMaxFactorial, refreshCoordination } from './coordination.ts';
import { toFactorialRow } from './factorial-row.ts';
import type { Claim, FactorialRow, FailureReason, StoredProgress } from './metadata-store.ts';
import { recordOutcome } from './outcomes.ts';
import { assertInt64, assertInteger, assertLeaseMs, encodeProgress, encodeReason } from './ranges.ts';
import type { MetadataSchema } from './schema.ts';
import type { StoreDialect } from './store-dialect.ts';
import { changeUsage } from './usage.ts';

type FactorialsUpdate = UpdateQueryBuilder<MetadataSchema, 'factorials', 'factorials', UpdateResult>;

const unleased = { lease_owner: null, lease_until: null } as const;

/** Only the row as this claim owns it: same fence, same owner, unfinished. */
function ownedBy(update: FactorialsUpdate, claim: Claim): FactorialsUpdate {
  return update
    .where('n', '=', claim.n)
    .where('fence', '=', claim.fence)
    .where('lease_owner', '=', claim.owner)
    .where('status', 'in', ['calculating', 'uploading']);
}

async function executeOwned(update: FactorialsUpdate, claim: Claim): Promise<void> {
  if (!(await touchesRow(ownedBy(update, claim)))) {
    throw new StaleLeaseError(
      `expected ${claim.owner} to hold ${claim.n} under fence ${claim.fence}, got a newer claim or a finished row: stop, write nothing more`,
    );
  }
}

async function touchesRow(update: FactorialsUpdate): Promise<boolean> {
  return (await update.executeTakeFirst()).numUpdatedRows > 0n;
}

/** See `MetadataStore.renew`. */
export async function renewLease(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  claim: Claim,
  leaseMs: number,
  progress?: StoredProgress,
): Promise<void> {
  assertLeaseMs(leaseMs);
  const recorded = progress === undefined ? {} : { progress: encodeProgress(progress) };
  await db.transaction().execute(async (transaction) => {
    const update = transaction
      .updateTable('factorials')
      .set({ lease_until: dialect.nowPlus(leaseMs), updated_at: dialect.now, ...recorded });
    await executeOwned(update, claim);
    await refreshCoordination(transaction, dialect);
  });
}

/** See `MetadataStore.markUploading`. */
export async function markRowUploading(db: Kysely<MetadataSchema>, dialect: StoreDialect, claim: Claim): Promise<void> {
  await executeOwned(db.updateTable('factorials').set({ status: 'uploading', updated_at: dialect.now }), claim);
}

/** See `MetadataStore.complete`. */
export async function completeRow(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  claim: Claim,
  stored: { readonly size: bigint; readonly checksum: string },
): Promise<FactorialRow> {
  assertInt64('size', stored.size);
  if (!/^[0-9a-f]{64}$/.test(stored.checksum)) {
    throw new InputError('checksum as 64 lower-case hexadecimal digits', stored.checksum);
  }
  return await db.transaction().execute(async (transaction) => {
    const update = transaction.updateTable('factorials').set({
      status: 'done',
      size: stored.size,
      checksum: stored.checksum,
      progress: null,
      error: null,
      updated_at: dialect.now,
      ...unleased,
    });
    await executeOwned(update, claim);
    const row = await readRow(transaction, dialect, claim.n);
    if (row.digits !== stored.size) {
      throw new CorruptObjectError(`expected ${row.digits} bytes for ${claim.n}!, got ${stored.size}: not published`);
    }
    await recordOutcome(transaction, dialect, row);
    await raiseMaxFactorial(transaction, claim.n);
    await refreshCoordination(transaction, dialect);
    const change = { objectCount: 1n, storedBytes: stored.size, reservedBytes: -row.digits };
    await changeUsage(transaction, dialect, change);
    return row;
  });
}

async function readRow(
  transaction: Transaction<MetadataSchema>,
  dialect: StoreDialect,
  n: bigint,
): Promise<FactorialRow> {
  const record = await transaction.selectFrom('factorials').selectAll().where('n', '=', n).executeTakeFirstOrThrow();
  return toFactorialRow(dialect, record);
}

/** See `MetadataStore.fail`. */
export async function failRow(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  claim: Claim,
  reason: FailureReason,
  policy: { readonly retryable: boolean; readonly maxFailures: number },
): Promise<'retry' | 'failed'> {
  assertInteger('maxFailures', policy.maxFailures, 1, 1_000_000);
  const error = encodeReason(reason);
  return await db.transaction().execute(async (transaction) => {
    const update = transaction.updateTable('factorials').set((eb) => ({
      status: 'calculating',
      failures: eb('failures', '+', 1),
      progress: null,
      error,
      updated_at: dialect.now,
      ...unleased,
    }));
    await executeOwned(update, claim);
    const row = await readRow(transaction, dialect, claim.n);
    const outcome = policy.retryable && row.failures < policy.maxFailures ? 'retry' : 'failed';
    if (outcome === 'failed') {
      await transaction.updateTable('factorials').set({ status: 'failed' }).where('n', '=', claim.n).execute();
      await recordOutcome(transaction, dialect, { ...row, status: 'failed' });
    }
    await refreshCoordination(transaction, dialect);
    if (outcome === 'failed') await changeUsage(transaction, dialect, { reservedBytes: -row.digits });
    return outcome;
  });
}

/** See `MetadataStore.release`. */
export async function releaseRow(db: Kysely<MetadataSchema>, dialect: StoreDialect, claim: Claim): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const update = transaction
      .updateTable('factorials')
      .set({ status: 'calculating', progress: null, updated_at: dialect.now, ...unleased });
    if (await touchesRow(ownedBy(update, claim))) await refreshCoordination(transaction, dialect);
  });
}

/** See `MetadataStore.cancel`. */
export async function cancelRow(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  n: bigint,
): Promise<'cancelled' | 'done' | 'failed' | 'unknown'> {
  assertInt64('n', n);
  const error = encodeReason({ code: 'cancelled', message: 'the calculation was cancelled on request' });
  return await db.transaction().execute(async (transaction) => {
    const record = await dialect
      .forUpdate(transaction.selectFrom('factorials').select('status').where('n', '=', n))
      .executeTakeFirst();
    if (record === undefined) return 'unknown';
    if (record.status === 'done' || record.status === 'failed') return record.status;
    await transaction
      .updateTable('factorials')
      .set({
        status: 'failed',
        fence: sql<bigint>`fence + 1`,
        progress: null,
        error,
        updated_at: dialect.now,
        ...unleased,
      })
      .where('n', '=', n)
      .execute();
    const row = await readRow(transaction, dialect, n);
    await recordOutcome(transaction, dialect, row);
    await refreshCoordination(transaction, dialect);
    await changeUsage(transaction, dialect, { reservedBytes: -row.digits });
    return 'cancelled';
  });
}

/** See `MetadataStore.releaseAllLeases`. */
export async function endAllLeases(db: Kysely<MetadataSchema>, dialect: StoreDialect): Promise<number> {
  return await db.transaction().execute(async (transaction) => {
    const { numUpdatedRows } = await transaction
      .updateTable('factorials')
      .set({ lease_until: dialect.now, fence: sql<bigint>`fence + 1` })
      .where('lease_until', '>', dialect.now)
      .executeTakeFirst();
    await refreshCoordination(transaction, dialect);
    return Number(numUpdatedRows);
  });
}
