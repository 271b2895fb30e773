import { InputError } from '@factorial/compute';
import type { Kysely, Transaction } from 'kysely';
import { toFactorialRow } from './factorial-row.ts';
import type {
  FactorialRow,
  ListCursor,
  ListPage,
  RequestInput,
  RequestLimits,
  RequestOutcome,
  StoreUsage,
} from './metadata-store.ts';
import { makeObjectKey } from './object-key.ts';
import { assertInt64, assertInteger, assertText } from './ranges.ts';
import type { MetadataSchema } from './schema.ts';
import type { StoreDialect } from './store-dialect.ts';
import { changeUsage } from './usage.ts';

const maxListLimit = 1_000;
const maxTouched = 1_000;
const maxDoneBelow = 100;

type Refusal = Exclude<RequestOutcome, { readonly kind: 'accepted' }>;

/** Undoes the transaction of a request that is over a limit. */
class RefusedRequest extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.kind);
    this.refusal = refusal;
  }
}

/** See `MetadataStore.requestWithin`. */
export async function requestRowWithin(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  input: RequestInput,
  limits: RequestLimits,
): Promise<RequestOutcome> {
  try {
    return { kind: 'accepted', ...(await requestRow(db, dialect, input, limits)) };
  } catch (fault) {
    if (fault instanceof RefusedRequest) return fault.refusal;
    throw fault;
  }
}

/** Requests are judged one after the other, in whatever process: who changed the sums holds them until it has ended. */
async function reserve(
  transaction: Transaction<MetadataSchema>,
  dialect: StoreDialect,
  { client, digits }: Pick<RequestInput, 'client' | 'digits'>,
  limits: RequestLimits,
): Promise<void> {
  const usage = await changeUsage(transaction, dialect, { reservedBytes: digits });
  if (!fits(usage, limits)) {
    throw new RefusedRequest({ kind: 'store-full', usage: { ...usage, reservedBytes: usage.reservedBytes - digits } });
  }
  const { unfinishedMaxPerClient } = limits;
  if (unfinishedMaxPerClient === undefined) return;
  const unfinished = (await countUnfinishedRows(transaction, client)) - 1;
  if (unfinished >= unfinishedMaxPerClient) throw new RefusedRequest({ kind: 'too-many-unfinished', unfinished });
}

function fits({ storedBytes, reservedBytes }: StoreUsage, { totalMaxBytes, reservedMaxBytes }: RequestLimits): boolean {
  const fitsTotal = totalMaxBytes === undefined || storedBytes + reservedBytes <= totalMaxBytes;
  return fitsTotal && (reservedMaxBytes === undefined || reservedBytes <= reservedMaxBytes);
}

/** See `MetadataStore.request`. */
export async function requestRow(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  input: RequestInput,
  limits: RequestLimits = {},
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
    if (created) await reserve(transaction, dialect, input, limits);
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
    await reserve(transaction, dialect, { client: input.client, digits: BigInt(record.digits) }, limits);
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
export async function touchRows(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  numbers: readonly bigint[],
  granularityMs: number,
): Promise<void> {
  assertInteger('how many n', numbers.length, 0, maxTouched);
  for (const n of numbers) assertInt64('n', n);
  if (numbers.length === 0) return;
  await db
    .updateTable('factorials')
    .set({ last_read_at: dialect.now })
    .where('n', 'in', numbers)
    .where('status', '=', 'done')
    .where((eb) => eb.or([eb('last_read_at', 'is', null), eb('last_read_at', '<=', dialect.nowPlus(-granularityMs))]))
    .execute();
}
