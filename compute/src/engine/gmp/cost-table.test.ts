import { expect, test } from 'vitest';
import { estimateSeconds } from './cost-table.ts';

test('the estimate is finite, positive and grows with n, within and beyond the table', () => {
  for (const threads of [0, 1, 2, 16]) {
    let previous = 0;
    for (let n = 0; n < 10 ** 9; n = Math.ceil(n * 1.3 + 1)) {
      const seconds = estimateSeconds(n, threads);
      expect(Number.isFinite(seconds)).toBe(true);
      expect(seconds).toBeGreaterThanOrEqual(previous);
      previous = seconds;
    }
  }
});

test('at a measured n the estimate is what was measured', () => {
  expect(estimateSeconds(1_000_000, 1)).toBeCloseTo(2.4);
  expect(estimateSeconds(1_000_000, 2)).toBeCloseTo(1.5);
  expect(estimateSeconds(10_000_000, 2)).toBeCloseTo(32);
});
