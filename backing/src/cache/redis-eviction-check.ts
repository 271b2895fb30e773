import type { Redis } from 'ioredis';

/**
 * What is wrong with the server's memory settings for a cache, or undefined. Reads `INFO memory`, which managed services answer too,
 * unlike `CONFIG GET`.
 */
export async function evictionProblem(redis: Redis): Promise<string | undefined> {
  const fields = new Map(
    (await redis.info('memory')).split('\r\n').map((line) => line.split(':', 2) as [string, string | undefined]),
  );
  const policy = fields.get('maxmemory_policy');
  const maxMemory = fields.get('maxmemory');
  const problems = [
    ...(policy === undefined || policy === 'allkeys-lru'
      ? []
      : [`expected maxmemory-policy allkeys-lru, got ${policy}`]),
    ...(maxMemory === '0' ? ['expected a maxmemory, got none'] : []),
  ];
  return problems.length === 0
    ? undefined
    : `${problems.join('; ')}: Redis would refuse new results when full, or grow without bound`;
}
