import { expect, test } from 'vitest';
import { computeFactorial, defaultBudget, type Progress, planFactorial, SharedBudget } from '../../src/index.ts';

test('two runs that do not fit at once run one after the other, and the second says that it waits', async () => {
  const budget = defaultBudget({ threads: 1, memoryBytes: 256 * 2 ** 20, engine: 'decimal' });
  const n = 200_000;
  const { memoryBytes } = planFactorial(n, budget);
  const sharedBudget = new SharedBudget({ memoryBytes: 1.5 * memoryBytes, scratchBytes: 0 });
  const first = await computeFactorial(n, { budget, sharedBudget });
  const phases: string[] = [];
  const onProgress = ({ phase }: Progress) => phases.push(phase);
  const second = computeFactorial(n, { budget, sharedBudget, onProgress });
  await new Promise((next) => setTimeout(next, 100));
  expect(phases).toEqual(['waiting']);
  let bytes = 0;
  for await (const chunk of first.digits()) bytes += chunk.length;
  await using result = await second;
  for await (const chunk of result.digits()) bytes -= chunk.length;
  expect(bytes).toBe(0);
  expect(new Set(phases)).toContain('product');
  expect(sharedBudget.taken.memoryBytes).toBe(0);
});
