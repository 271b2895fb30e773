import { describe, expect, it } from 'vitest';
import { resolveApiOptions } from './options.ts';

describe('API options', () => {
  it('have defaults for everything, and are frozen', () => {
    const options = resolveApiOptions({});
    expect(options).toMatchObject({
      maxNumber: 100_000_000n,
      largeFrom: 1_000_000_000n,
      presignMinBytes: undefined,
      apiKeys: [],
    });
    expect(Object.isFrozen(options) && Object.isFrozen(options.apiKeys) && Object.isFrozen(options.budget)).toBe(true);
    expect(resolveApiOptions({ maxNumber: undefined }).maxNumber).toBe(100_000_000n);
  });

  it.each([
    [{ maxNumber: -1n }, 'maxNumber'],
    [{ maxNumber: 2n ** 63n }, 'maxNumber'],
    [{ maxNumber: 5 as unknown as bigint }, 'maxNumber'],
    [{ tinyMaxNumber: 20_001n }, 'tinyMaxNumber'],
    [{ objectsMaxBytes: -1n }, 'objectsMaxBytes'],
    [{ bodyMaxBytes: 0 }, 'bodyMaxBytes'],
    [{ listMaxLimit: 1_001 }, 'listMaxLimit'],
    [{ listDefaultLimit: 50, listMaxLimit: 20 }, 'listDefaultLimit'],
    [{ retryAfterMinSeconds: 10, retryAfterMaxSeconds: 5 }, 'retryAfterMinSeconds'],
    [{ eventHeartbeatMs: 60_000, connectionIdleMs: 30_000 }, 'eventHeartbeatMs'],
    [{ rateLimitPerMinute: 1.5 }, 'rateLimitPerMinute'],
    [{ rateLimitPerMinute: Number.NaN }, 'rateLimitPerMinute'],
    [{ quickMaxSeconds: Number.POSITIVE_INFINITY }, 'quickMaxSeconds'],
    [{ apiKeys: ['short'] }, 'apiKeys[0]'],
    [{ apiKeys: ['a-key-of-some-length', 'sha256:xyz'] }, 'apiKeys[1]'],
    [{ budget: { memoryBytes: 1, scratchBytes: 0, threads: 1, engine: 'auto' as const } }, 'memoryBytes'],
    [{ maxNumbr: 5n } as object, 'maxNumbr'],
  ])('refuse %o and name the option', (input, name) => {
    expect(() => resolveApiOptions(input)).toThrow(name);
  });

  it('never repeat a key in an error', () => {
    expect(() => resolveApiOptions({ apiKeys: ['secret'] })).not.toThrow(/secret/);
  });
});
