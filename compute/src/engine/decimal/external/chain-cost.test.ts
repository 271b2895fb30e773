import { expect, test } from 'vitest';
import { chainCost } from './chain-cost.ts';
import { fieldLimits } from './product-limits.ts';

const plan = { regionBytes: 31_391_744, threads: 2, limits: fieldLimits, groupLimbs: 2 ** 19 };

test('what a chain has left grows with the planes left, is nothing without any, and is not doubled by limbs that were rounded up', () => {
  const count = 23;
  const planes = Array.from({ length: count }, (_, plane) => Math.ceil(305_615 / 2 ** plane));
  const sizes = { planes, resultLimbs: 305_615 * count, sourceLimbs: 0 };
  const costs = Array.from({ length: count + 1 }, (_, left) => left)
    .filter((left) => left % 2 === 0 || left === count)
    .map((left) => chainCost(sizes, left, plan));
  expect(costs[0]).toBe(0);
  for (const [index, cost] of costs.entries()) expect(cost).toBeGreaterThanOrEqual(costs[index - 1] ?? 0);
  // The last step is most of it: the one before has numbers of a quarter of the length.
  expect(costs[1]! / costs.at(-1)!).toBeGreaterThan(0.6);
  expect(costs.at(-1)).toBeLessThan(8e8);
  expect(chainCost({ ...sizes, sourceLimbs: 10 ** 6 }, 0, plan)).toBeGreaterThan(0);
});
