import type { Transaction } from 'kysely';
import { toBigIntOrNull } from './factorial-row.ts';
import type { Coordination } from './metadata-store.ts';
import type { MetadataSchema } from './schema.ts';
import type { StoreDialect } from './store-dialect.ts';

/**
 * Bring `cur_factorial` in line with the live leases, in the caller's transaction, after its own change. Also lets go of
 * leases that ran out meanwhile. Writes only when the value changes. Resolves to the row as it is now.
 */
export async function refreshCoordination(
  transaction: Transaction<MetadataSchema>,
  dialect: StoreDialect,
): Promise<Coordination> {
  const stored = await dialect
    .forUpdate(transaction.selectFrom('coordination').select(['max_factorial', 'cur_factorial']))
    .executeTakeFirstOrThrow();
  // The leased rows are few. Asked for their maximum, SQLite walks all n downwards instead of using the index of leases.
  const live = await transaction.selectFrom('factorials').select('n').where('lease_until', '>', dialect.now).execute();
  const curFactorial = largest(live.map((row) => BigInt(row.n)));
  if (curFactorial !== toBigIntOrNull(stored.cur_factorial)) {
    await transaction.updateTable('coordination').set({ cur_factorial: curFactorial }).execute();
  }
  return { maxFactorial: toBigIntOrNull(stored.max_factorial), curFactorial };
}

function largest(numbers: readonly bigint[]): bigint | null {
  let found: bigint | null = null;
  for (const n of numbers) if (found === null || n > found) found = n;
  return found;
}

/** Raise `max_factorial` to n, in the transaction that makes n `done`. */
export async function raiseMaxFactorial(transaction: Transaction<MetadataSchema>, n: bigint): Promise<void> {
  await transaction
    .updateTable('coordination')
    .set({ max_factorial: n })
    .where((eb) => eb.or([eb('max_factorial', 'is', null), eb('max_factorial', '<', n)]))
    .execute();
}
