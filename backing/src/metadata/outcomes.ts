import type { Kysely, Transaction } from 'kysely';
import type { CalculationEvent } from '../contracts/event.ts';
import { parseCalculationEvent } from '../contracts/event.ts';
import type { FactorialRow } from './metadata-store.ts';
import { assertInt64, assertInteger } from './ranges.ts';
import type { MetadataSchema } from './schema.ts';
import type { StoreDialect } from './store-dialect.ts';

const maxLimit = 1_000;

/** What other systems are told of a row that has ended; undefined while it has not. */
export function eventOf(row: FactorialRow): CalculationEvent | undefined {
  const common = { version: 1, number: row.n.toString(), attempt: row.attempt } as const;
  if (row.status === 'done' && row.checksum !== null) {
    return { ...common, event: 'done', digits: row.digits.toString(), checksum: row.checksum };
  }
  if (row.status === 'failed') return { ...common, event: 'failed', code: row.error?.code ?? 'internal' };
  return undefined;
}

/** Remember, in the transaction that ends the row, that its end is still to be announced. */
export async function recordOutcome(
  transaction: Transaction<MetadataSchema>,
  dialect: StoreDialect,
  row: FactorialRow,
): Promise<void> {
  const event = eventOf(row);
  if (event === undefined) return;
  await forgetOutcome(transaction, row.n, row.attempt);
  await transaction
    .insertInto('outcomes')
    .values({ n: row.n, attempt: row.attempt, event: JSON.stringify(event), ended_at: dialect.now })
    .execute();
}

/** See `MetadataStore.unannounced`. */
export async function unannouncedEvents(
  db: Kysely<MetadataSchema>,
  dialect: StoreDialect,
  limit: number,
  idleMs: number,
): Promise<readonly CalculationEvent[]> {
  assertInteger('limit', limit, 1, maxLimit);
  assertInteger('idleMs', idleMs, 0, 86_400_000);
  const records = await db
    .selectFrom('outcomes')
    .select('event')
    .where('ended_at', '<=', dialect.nowPlus(-idleMs))
    .orderBy('ended_at')
    .orderBy('n')
    .limit(limit)
    .execute();
  return records.map(({ event }) => parseCalculationEvent(JSON.parse(event)));
}

/** See `MetadataStore.announced`. */
export async function forgetOutcome(db: Kysely<MetadataSchema>, n: bigint, attempt: number): Promise<void> {
  assertInt64('n', n);
  await db.deleteFrom('outcomes').where('n', '=', n).where('attempt', '=', attempt).execute();
}
