import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTaskPool } from '../../src/pool/start-task-pool.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import { seededRandom } from '../decimal/random.ts';
import { factorialNaive } from '../factorial-naive.ts';
import { memoryRun, sourceOf } from './memory-run.ts';

let pool: TaskPool;
beforeAll(async () => {
  pool = await startTaskPool({ threads: 2, signal: new AbortController().signal });
});
afterAll(() => pool[Symbol.asyncDispose]());

test('n! from every kind of m! is the factorial multiplied out, where a step adds zeros and where it adds none', async () => {
  const pairs = [
    [2, 2],
    [5, 4],
    [25, 24],
    [25, 25],
    [100, 2],
    [125, 124],
    [625, 624],
    [3125, 3124],
    [3126, 3124],
    [1000, 999],
    [1000, 500],
    [20_000, 7],
  ] as const;
  for (const [n, m] of pairs) {
    const text = await memoryRun(n, m, sourceOf(factorialNaive(m).toString()), 1, pool);
    expect(text === factorialNaive(n).toString(), `${n}! from ${m}!`).toBe(true);
  }
});

test('random n from random m on one or two threads are the factorials multiplied out', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  for (let round = 0; round < 25; round++) {
    const n = 2 + Math.floor(30_000 * random() ** 2);
    const m = Math.max(2, Math.ceil(n * (1 - random() ** 3)));
    const threads = 1 + (round % 2);
    const chunkBytes = 1 + Math.floor(random() ** 4 * 100_000);
    const text = await memoryRun(n, m, sourceOf(factorialNaive(m).toString(), chunkBytes), threads, pool);
    expect(text === factorialNaive(n).toString(), `seed ${seed}, round ${round}: ${n}! from ${m}!`).toBe(true);
  }
});
