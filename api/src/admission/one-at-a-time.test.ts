import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { OneAtATime } from './one-at-a-time.ts';

describe('one at a time', () => {
  it('runs tasks in order, never two at once, and goes on after one that failed', async () => {
    const door = new OneAtATime();
    let inside = 0;
    const order: number[] = [];
    const task = (id: number) => async () => {
      inside += 1;
      expect(inside).toBe(1);
      await delay(id % 3);
      inside -= 1;
      order.push(id);
      if (id === 2) throw new Error('two failed');
      return id;
    };
    const results = await Promise.allSettled([0, 1, 2, 3, 4].map((id) => door.run(task(id))));
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
  });
});
