import { expect, it } from 'vitest';
import { TimeLeft } from './time-left.ts';

const at = (done: number, phase = 'product') => ({ phase, done, total: 1000 });

it('is told by the pace of the work, once enough of it was seen', () => {
  const left = new TimeLeft();
  expect(left.secondsLeft(at(0), 1_000)).toBeUndefined();
  expect(left.secondsLeft(at(10), 2_000)).toBeUndefined();
  expect(left.secondsLeft(at(100), 2_000)).toBe(9);
  expect(left.secondsLeft(at(1000, 'emit'), 11_000)).toBe(0);
});

it('does not count waiting as slowness', () => {
  const left = new TimeLeft();
  expect(left.secondsLeft(at(0, 'waiting'), 0)).toBeUndefined();
  expect(left.secondsLeft(at(0), 3_600_000)).toBeUndefined();
  expect(left.secondsLeft(at(500), 3_610_000)).toBe(10);
});

it('does not count what was done before as quickness', () => {
  const left = new TimeLeft();
  expect(left.secondsLeft(at(800), 0)).toBeUndefined();
  expect(left.secondsLeft(at(900), 5_000)).toBe(5);
});
