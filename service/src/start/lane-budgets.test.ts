import { readSettings, SettingsError } from '@factorial/backing';
import { defaultBudget, minMemoryBytes, planFactorial } from '@factorial/compute';
import { describe, expect, it } from 'vitest';
import { computeBudgets } from './lane-budgets.ts';

const mebibyte = 2 ** 20;
const budgetsOf = (environment: Record<string, string>) => computeBudgets(readSettings(environment));
const never = () => {
  throw new Error('nobody was to wait');
};
const { signal } = new AbortController();

describe('the memory of a process', () => {
  it.each([192, 256, 300, 512, 1024, 4096, 65_536])('is never promised twice: %d MiB', async (total) => {
    const settings = readSettings({ COMPUTE_MEMORY_BYTES: `${total}MiB` });
    const { lanes, newSharedBudget } = computeBudgets(settings);
    const shared = newSharedBudget();
    // One long calculation with all that its lane may have, and every place of the quick lane, at once.
    await shared.acquire({ memoryBytes: lanes['small.long'].memoryBytes, scratchBytes: 0 }, signal, never);
    for (let place = 0; place < settings.QUICK_CONCURRENCY; place += 1) {
      const { memoryBytes } = lanes['small.quick'];
      await shared.acquire({ memoryBytes, scratchBytes: 0, quick: true }, signal, never);
    }
    expect(shared.taken.memoryBytes).toBeLessThanOrEqual(total * mebibyte);
    expect(shared.taken.memoryBytes).toBeGreaterThan(total * mebibyte - 16);
    for (const { memoryBytes } of Object.values(lanes)) expect(memoryBytes).toBeGreaterThanOrEqual(minMemoryBytes);
  });

  it('is the long lane\u2019s but for what quick calculations of two seconds can use', () => {
    const { lanes } = budgetsOf({ COMPUTE_MEMORY_BYTES: '16GiB' });
    expect(lanes['small.long'].memoryBytes).toBe((16_384 - 640) * mebibyte);
    expect(lanes['small.quick'].memoryBytes).toBe(320 * mebibyte);
    expect(planFactorial(17_000_000, lanes['small.quick']).estimatedSeconds).toBeGreaterThan(1.9);
    expect(lanes.large).toEqual(lanes['small.long']);
  });

  it('is half of the container\u2019s or the machine\u2019s when no setting says more, threads as many as it runs at once', () => {
    const { lanes } = budgetsOf({});
    const { memoryBytes, threads } = defaultBudget();
    expect(lanes['small.long'].memoryBytes + 2 * lanes['small.quick'].memoryBytes).toBe(memoryBytes);
    expect(lanes['small.long'].threads).toBe(threads);
  });

  it('is refused when it is too little, with the least that would do, which does', () => {
    const tooLittle = () => budgetsOf({ COMPUTE_MEMORY_BYTES: '255MiB', QUICK_CONCURRENCY: '3' });
    expect(tooLittle).toThrow(SettingsError);
    expect(tooLittle).toThrow(
      /COMPUTE_MEMORY_BYTES: expected at least 268435456 \(256MiB\), the least for one calculation beside 3 quick ones, got 267386880; .*QUICK_CONCURRENCY/,
    );
    const { lanes } = budgetsOf({ COMPUTE_MEMORY_BYTES: '256MiB', QUICK_CONCURRENCY: '3' });
    for (const budget of Object.values(lanes)) expect(() => planFactorial(1_000_000, budget)).not.toThrow();
  });
});
