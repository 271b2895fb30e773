import type { DigitCache } from '../cache/digit-cache.ts';
import type { FaultLogger } from '../cache/fault-log.ts';
import { createMemoryDigitCache } from '../cache/memory-digit-cache.ts';
import { createRedisDigitCache } from '../cache/redis-digit-cache.ts';
import type { Settings } from '../contracts/settings.ts';

/** The cache the settings name: the server of `REDIS_URL`, or memory of this process. */
export function openCache(settings: Settings, log: FaultLogger): DigitCache {
  const { REDIS_URL: url, CACHE_MAX_BYTES: maxBytes, CACHE_MAX_VALUE_BYTES: maxValueBytes } = settings;
  return url === undefined
    ? createMemoryDigitCache({ maxBytes, maxValueBytes })
    : createRedisDigitCache({ url, maxValueBytes, log });
}
