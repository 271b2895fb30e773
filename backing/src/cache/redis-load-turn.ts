import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadTurn } from './cache-aside.ts';
import type { RedisConnection } from './redis-connection.ts';

export interface LoadTurnLimits {
  /** A loader that died lets the next one in after this time. */
  readonly lockMs: number;
  /** After this time of waiting a caller loads all the same. */
  readonly waitMs: number;
  /** Between two looks. */
  readonly pollMs: number;
}

/** The value when it is there now, else whether this caller has the lock. One step, so that nobody loads what was just stored. */
const lookOrLock = `
local value = redis.call('get', KEYS[1])
if value then return value end
if redis.call('set', KEYS[2], ARGV[1], 'nx', 'px', ARGV[2]) then return 1 end
return 0`;

/** Only the holder lets go: its lock may have run out and be another's by now. */
const unlock = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0`;

/** See `CacheStorage.takeTurn`: a short lock beside the value, among all processes on this Redis. */
export async function takeLoadTurn(
  connection: RedisConnection,
  keys: { readonly value: string; readonly lock: string },
  limits: LoadTurnLimits,
): Promise<LoadTurn> {
  const token = randomBytes(12).toString('hex');
  const deadline = performance.now() + limits.waitMs;
  do {
    const answer = await connection.run((redis) =>
      redis.callBuffer('eval', lookOrLock, '2', keys.value, keys.lock, token, String(limits.lockMs)),
    );
    if (answer instanceof Uint8Array) return { kind: 'loaded', digits: answer };
    if (Number(answer) === 1) return { kind: 'load', release: () => release(connection, keys.lock, token) };
    await sleep(limits.pollMs);
  } while (performance.now() < deadline);
  return { kind: 'load', release: async () => {} };
}

async function release(connection: RedisConnection, lock: string, token: string): Promise<void> {
  try {
    await connection.run((redis) => redis.eval(unlock, 1, lock, token));
  } catch {
    // The lock runs out by itself.
  }
}
