import { readSettings } from '@factorial/backing';
import { minMemoryBytes } from '@factorial/compute';
import { describe, expect, it } from 'vitest';
import { laneBudgets } from './lane-budgets.ts';

const mebibytes = (count: number): string => `${count}MiB`;

describe('laneBudgets', () => {
  it.each([256, 300, 512, 1024, 4096, 65_536])('never promises more than %d MiB to what may run at once', (total) => {
    const settings = readSettings({ COMPUTE_MEMORY_BYTES: mebibytes(total) });
    const budgets = laneBudgets(settings);
    const promised =
      budgets['small.quick'].memoryBytes * settings.QUICK_CONCURRENCY +
      budgets['small.long'].memoryBytes * settings.LONG_CONCURRENCY +
      budgets.large.memoryBytes * settings.LARGE_CONCURRENCY;
    expect(promised).toBeLessThanOrEqual(total * 2 ** 20);
    expect(promised).toBeGreaterThan(total * 2 ** 20 - 16);
    for (const { memoryBytes } of Object.values(budgets)) expect(memoryBytes).toBeGreaterThanOrEqual(minMemoryBytes);
  });

  it('names the setting when the memory cannot hold what may run at once, and says what would help', () => {
    const settings = readSettings({ COMPUTE_MEMORY_BYTES: '256MiB', QUICK_CONCURRENCY: '3' });
    expect(() => laneBudgets(settings)).toThrow(
      /COMPUTE_MEMORY_BYTES: expected at least 335544320 for 5 calculations at once, got 268435456; .*QUICK_CONCURRENCY/,
    );
  });
});
