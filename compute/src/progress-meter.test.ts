import { expect, test } from 'vitest';
import type { Progress } from './progress.ts';
import { ProgressMeter } from './progress-meter.ts';

test('too many units do not reach the total before the end, and fractions add up', () => {
  const events: Progress[] = [];
  const meter = new ProgressMeter(10, (progress) => events.push(progress));
  for (const units of [0.5, 0.5, 3, 100]) meter.advance('product', units);
  meter.finish();
  expect(events.map((event) => event.done)).toEqual([0, 1, 4, 9, 10]);
  expect(events.every((event) => event.total === 10)).toBe(true);
});
