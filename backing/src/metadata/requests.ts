import { InputError } from '@factorial/compute';
import type { Kysely } from 'kysely';
import { toFactorialRow } from './factorial-row.ts';
import type { FactorialRow, ListCursor, ListPage, RequestInput } from './metadata-store.ts';
import { makeObjectKey } from './object-key.ts';
import { assertInt64, assertInteger, assertText } from './ranges.ts';
import type { MetadataSchema } from './schema.ts';
import type { StoreDialect } from './store-dialect.ts';

const maxListLimit = 1_000;
const maxDoneBelow = 100;

/** See `MetadataStore.request`. */
export async function requestRow(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  input: RequestInput,
): Promise<{ readonly row: FactorialRow; readonly created: boolean }> {
  assertInt64('n', input.n);
  assertInt64('digits', input.digits);
  assertInt64('trailingZeros', input.trailingZeros);
  assertText('client', input.client, 64);
  return await db.transaction().execute(async (transaction) => {
    const candidate = newRow(dialect, input);
    await dialect.insertIfAbsent(transaction.insertInto('factorials').values(candidate)).execute();
    const record = await dialect
      .forUpdate(transaction.selectFrom('factorials').selectAll().where('n', '=', input.n))
      .executeTakeFirstOrThrow();
    // The key is unique to this call; how many rows an insert touched, each driver counts in its own way.
    const created = record.s3_key === candidate.s3_key;
    if (created || record.status !== 'failed') return { row: toFactorialRow(dialect, record), created };
    const attempt = Number(record.attempt) + 1;
    await transaction
      .updateTable('factorials')
      .set({
        status: 'calculating',
        attempt,
        s3_key: makeObjectKey(input.n, attempt),
        client: input.client,
        failures: 0,
        interruptions: 0,
        progress: null,
        error: null,
        updated_at: dialect.now,
      })
      .where('n', '=', input.n)
      .execute();
    const renewed = await transaction
      .selectFrom('factorials')
      .selectAll()
      .where('n', '=', input.n)
      .executeTakeFirstOrThrow();
    return { row: toFactorialRow(dialect, renewed), created: true };
  });
}

function newRow(dialect: StoreDialect, input: RequestInput) {
  return {
    n: input.n,
    s3_key: makeObjectKey(input.n, 1),
    status: 'calculating' as const,
    created_at: dialect.now,
    updated_at: dialect.now,
    digits: input.digits,
    trailing_zeros: input.trailingZeros,
    client: input.client,
    attempt: 1,
    failures: 0,
    interruptions: 0,
    fence: 0n,
  };
}

/** See `MetadataStore.find`. */
export async function findRow(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  n: bigint,
): Promise<FactorialRow | undefined> {
  assertInt64('n', n);
  const record = await db.selectFrom('factorials').selectAll().where('n', '=', n).executeTakeFirst();
  return record && toFactorialRow(dialect, record);
}

/** See `MetadataStore.list`. Reads one row more than asked for to know whether a next page exists. */
export async function listRows(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  limit: number,
  after?: ListCursor,
): Promise<ListPage> {
  assertInteger('limit', limit, 1, maxListLimit);
  let query = db
    .selectFrom('factorials')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('n', 'desc')
    .limit(limit + 1);
  if (after) {
    assertInt64('after.n', after.n);
    if (Number.isNaN(after.createdAt.getTime()))
      throw new InputError('after.createdAt as a valid date', 'an invalid one');
    const createdAt = dialect.fromDate(after.createdAt);
    query = query.where((eb) => eb(eb.refTuple('created_at', 'n'), '<', eb.tuple(createdAt, after.n)));
  }
  const records = await query.execute();
  const rows = records.slice(0, limit).map((record) => toFactorialRow(dialect, record));
  const last = rows.at(-1);
  return { rows, next: records.length > limit && last ? { createdAt: last.createdAt, n: last.n } : undefined };
}

/** See `MetadataStore.countUnfinished`. */
export async function countUnfinishedRows(db: Kysely<MetadataSchema>, client: string): Promise<number> {
  const { count } = await db
    .selectFrom('factorials')
    .select((eb) => eb.fn.countAll<bigint | string>().as('count'))
    .where('client', '=', client)
    .where('status', 'in', ['calculating', 'uploading'])
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** See `MetadataStore.doneBelow`. */
export async function doneRowsBelow(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  below: bigint,
  from: bigint,
  limit: number,
): Promise<readonly FactorialRow[]> {
  assertInt64('below', below);
  assertInt64('from', from);
  assertInteger('limit', limit, 1, maxDoneBelow);
  const records = await db
    .selectFrom('factorials')
    .selectAll()
    .where('status', '=', 'done')
    .where('n', '<', below)
    .where('n', '>=', from)
    .orderBy('n', 'desc')
    .limit(limit)
    .execute();
  return records.map((record) => toFactorialRow(dialect, record));
}

/** See `MetadataStore.isObjectKeyLive`. */
export async function isKeyLive(db: Kysely<MetadataSchema>, objectKey: string): Promise<boolean> {
  const record = await db
    .selectFrom('factorials')
    .select('n')
    .where('s3_key', '=', objectKey)
    .where('status', '!=', 'failed')
    .executeTakeFirst();
  return record !== undefined;
}

/** See `MetadataStore.touchRead`. */
export async function touchRow(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  n: bigint,
  granularityMs: number,
): Promise<void> {
  assertInt64('n', n);
  await db
    .updateTable('factorials')
    .set({ last_read_at: dialect.now })
    .where('n', '=', n)
    .where('status', '=', 'done')
    .where((eb) => eb.or([eb('last_read_at', 'is', null), eb('last_read_at', '<=', dialect.nowPlus(-granularityMs))]))
    .execute();
}
