import { expect, test } from 'vitest';
import { seededRandom } from '../../test/decimal/random.ts';
import { PlanCapacityError } from '../errors.ts';
import { SharedBudget } from './shared-budget.ts';

const { signal } = new AbortController();
const never = () => {
  throw new Error('nobody was to wait');
};

test('a run that does not fit lets smaller ones pass, but only so many of them', async () => {
  const budget = new SharedBudget({ memoryBytes: 100, scratchBytes: 100, maxOvertakes: 2 });
  const order: string[] = [];
  const first = await budget.acquire({ memoryBytes: 60, scratchBytes: 0 }, signal, never);
  const large = budget.acquire({ memoryBytes: 90, scratchBytes: 0 }, signal, (reason) => order.push(reason));
  void large.then(() => order.push('large'));
  const passing = [];
  for (let i = 0; i < 2; i++) passing.push(await budget.acquire({ memoryBytes: 10, scratchBytes: 0 }, signal, never));
  for (const held of passing) await held[Symbol.asyncDispose]();
  const late = budget.acquire({ memoryBytes: 10, scratchBytes: 0 }, signal, () => order.push('late waits'));
  void late.then(() => order.push('late'));
  expect(budget.waitingCount).toBe(2);
  await first[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await Promise.all([large, late]);
  expect(order).toEqual([
    expect.stringMatching(/^needs .* have left .*; 0 wait before it$/),
    'late waits',
    'large',
    'late',
  ]);
  expect(budget.taken).toEqual({ memoryBytes: 100, scratchBytes: 0 });
});

test('quick runs have memory of their own, whoever waits or runs, and are like any other beyond it', async () => {
  const budget = new SharedBudget({ memoryBytes: 100, scratchBytes: 0, quickMemoryBytes: 20, maxOvertakes: 0 });
  await expect(budget.acquire({ memoryBytes: 81, scratchBytes: 0 }, signal, never)).rejects.toThrow(PlanCapacityError);
  const all = await budget.acquire({ memoryBytes: 80, scratchBytes: 0 }, signal, never);
  const next = budget.acquire({ memoryBytes: 80, scratchBytes: 0 }, signal, () => undefined);
  const quick = { memoryBytes: 10, scratchBytes: 0, quick: true };
  const held = [await budget.acquire(quick, signal, never), await budget.acquire(quick, signal, never)];
  expect(budget.taken.memoryBytes).toBe(100);
  const third = budget.acquire(quick, signal, () => undefined);
  await held[0]![Symbol.asyncDispose]();
  await (await third)[Symbol.asyncDispose]();
  await all[Symbol.asyncDispose]();
  await (await next)[Symbol.asyncDispose]();
  await held[1]![Symbol.asyncDispose]();
  expect(budget.taken).toEqual({ memoryBytes: 0, scratchBytes: 0 });
});

test('an abort takes a run out of the queue and lets those behind it pass', async () => {
  const budget = new SharedBudget({ memoryBytes: 100, scratchBytes: 0, maxOvertakes: 0 });
  const running = await budget.acquire({ memoryBytes: 60, scratchBytes: 0 }, signal, never);
  const controller = new AbortController();
  const reason = new Error('enough');
  const large = budget.acquire({ memoryBytes: 90, scratchBytes: 0 }, controller.signal, () => undefined);
  const small = budget.acquire({ memoryBytes: 40, scratchBytes: 0 }, signal, () => undefined);
  expect(budget.waitingCount).toBe(2);
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
  const budget = new SharedBudget({ ...total, quickMemoryBytes: 200 });
  let finished = 0;
  const run = async (): Promise<void> => {
    const quick = random() < 0.3;
    const share = quick
      ? { memoryBytes: Math.floor(301 * random()), scratchBytes: 0, quick }
      : { memoryBytes: Math.floor(801 * random()), scratchBytes: Math.floor(501 * random()) };
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
