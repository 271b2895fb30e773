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

test('what is left follows from the time that the units took, from the plan before there are any, and not from what was inherited', async () => {
  const events: Progress[] = [];
  const meter = new ProgressMeter(1000, (progress) => events.push(progress), 10);
  meter.advance('sieve', 0);
  expect(events.at(-1)!.remainingSeconds).toBeCloseTo(10, 1);
  meter.inherit('product', 500);
  meter.advance('product', 0);
  expect(events.at(-1)!.done).toBe(500);
  expect(events.at(-1)!.remainingSeconds).toBeGreaterThan(4.9);
  await new Promise((settle) => setTimeout(settle, 100));
  meter.advance('product', 250);
  // Half of what was left took a tenth of a second; the plan, which said five seconds, counts for 0.3 of it.
  const left = events.at(-1)!.remainingSeconds!;
  expect(left).toBeGreaterThan(0.1);
  expect(left).toBeLessThan(1.5);
});
