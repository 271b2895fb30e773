import { expect, test } from 'vitest';
import { seededRandom } from '../../test/decimal/random.ts';
import { PlanCapacityError } from '../errors.ts';
import { SharedBudget } from './shared-budget.ts';

const { signal } = new AbortController();
const never = () => {
  throw new Error('nobody was to wait');
};

test('runs wait in order of arrival, also behind one that is larger', async () => {
  const budget = new SharedBudget({ memoryBytes: 100, scratchBytes: 100 });
  const order: string[] = [];
  const first = await budget.acquire({ memoryBytes: 60, scratchBytes: 0 }, signal, never);
  const large = budget.acquire({ memoryBytes: 90, scratchBytes: 0 }, signal, () => order.push('large waits'));
  const small = budget.acquire({ memoryBytes: 10, scratchBytes: 0 }, signal, () => order.push('small waits'));
  void large.then(() => order.push('large'));
  void small.then(() => order.push('small'));
  expect(budget.waitingCount).toBe(2);
  await first[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await Promise.all([large, small]);
  expect(order).toEqual(['large waits', 'small waits', 'large', 'small']);
  expect(budget.taken).toEqual({ memoryBytes: 100, scratchBytes: 0 });
});

test('an abort takes a run out of the queue and lets those behind it pass', async () => {
  const budget = new SharedBudget({ memoryBytes: 100, scratchBytes: 0 });
  const running = await budget.acquire({ memoryBytes: 60, scratchBytes: 0 }, signal, never);
  const controller = new AbortController();
  const reason = new Error('enough');
  const large = budget.acquire({ memoryBytes: 90, scratchBytes: 0 }, controller.signal, () => undefined);
  const small = budget.acquire({ memoryBytes: 40, scratchBytes: 0 }, signal, () => undefined);
  controller.abort(reason);
  await expect(large).rejects.toBe(reason);
  await (await small)[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
  expect(budget.taken).toEqual({ memoryBytes: 0, scratchBytes: 0 });
});

test('what can never fit and what would make the queue too long is refused', async () => {
  const budget = new SharedBudget({ memoryBytes: 100, scratchBytes: 10, maxWaiting: 1 });
  await expect(budget.acquire({ memoryBytes: 101, scratchBytes: 0 }, signal, never)).rejects.toThrow(PlanCapacityError);
  await expect(budget.acquire({ memoryBytes: 1, scratchBytes: 11 }, signal, never)).rejects.toThrow(PlanCapacityError);
  await budget.acquire({ memoryBytes: 100, scratchBytes: 0 }, signal, never);
  void budget.acquire({ memoryBytes: 1, scratchBytes: 0 }, signal, () => undefined);
  await expect(budget.acquire({ memoryBytes: 1, scratchBytes: 0 }, signal, never)).rejects.toThrow(/wait already/);
});

test('many runs at random never take more than there is, and all get their turn', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const total = { memoryBytes: 1000, scratchBytes: 500 };
  const budget = new SharedBudget(total);
  let finished = 0;
  const run = async (): Promise<void> => {
    const share = { memoryBytes: Math.floor(1001 * random()), scratchBytes: Math.floor(501 * random()) };
    const held = await budget.acquire(share, signal, () => undefined);
    expect(budget.taken.memoryBytes, `seed ${seed}`).toBeLessThanOrEqual(total.memoryBytes);
    expect(budget.taken.scratchBytes, `seed ${seed}`).toBeLessThanOrEqual(total.scratchBytes);
    await new Promise(setImmediate);
    await held[Symbol.asyncDispose]();
    finished++;
  };
  await Promise.all(Array.from({ length: 300 }, run));
  expect(finished).toBe(300);
  expect(budget.taken).toEqual({ memoryBytes: 0, scratchBytes: 0 });
});
