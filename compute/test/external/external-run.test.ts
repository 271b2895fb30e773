import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leastExternalBytes, planExternal } from '../../src/engine/decimal/external/external-plan.ts';
import { MemoryStore } from '../../src/limbs/memory-store.ts';
import { ScratchStore } from '../../src/limbs/scratch-store.ts';
import { factorialFacts } from '../../src/plan/plan-factorial.ts';
import { startTaskPool } from '../../src/pool/start-task-pool.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import { seededRandom } from '../decimal/random.ts';
import { factorialNaive } from '../factorial-naive.ts';
import { smallRun } from './small-run.ts';

let pool: TaskPool;
let parent: string;
beforeAll(async () => {
  pool = await startTaskPool({ threads: 2, signal: new AbortController().signal });
  parent = await mkdtemp(join(tmpdir(), 'external-run-'));
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  expect(await readdir(parent)).toEqual([]);
  await rm(parent, { recursive: true });
});

test('small n come out right in the least memory', async () => {
  for (const n of [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 16, 25, 100, 1000, 4095, 4096, 4097, 10_007]) {
    await using store = new MemoryStore(2 ** 28);
    const memoryBytes = leastExternalBytes(factorialFacts(BigInt(n)))!;
    expect(await smallRun({ n, memoryBytes, threads: 1, pool, store }), `${n}!`).toBe(factorialNaive(n).toString());
  }
});

test('random n in random memory on either store are the factorials multiplied out, within the scratch that was planned', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  for (let round = 0; round < 12; round++) {
    const n = Math.floor(30_000 * random() ** 2);
    const facts = factorialFacts(BigInt(n));
    const threads = 1 + Math.floor(random() * 2);
    const memoryBytes = Math.ceil(threads * leastExternalBytes(facts)! * (1 + random() ** 3)) + 65_536;
    const plan = planExternal(facts, memoryBytes, threads)!;
    await using store =
      round % 2 === 0 ? new MemoryStore(plan.scratchBytes) : await ScratchStore.open(parent, plan.scratchBytes);
    const text = await smallRun({ n, memoryBytes, threads, pool, store });
    const label = `seed ${seed}, round ${round}: ${n}! in ${memoryBytes} bytes on ${threads} threads`;
    expect(text === factorialNaive(n).toString(), label).toBe(true);
    expect(store.peakBytes, label).toBeLessThanOrEqual(plan.scratchBytes);
  }
});

test('golden factorials come out of less memory than the number takes', async () => {
  const golden = JSON.parse(await readFile(new URL('../golden/factorials.json', import.meta.url), 'utf8'));
  for (const [n, memoryBytes] of [
    [250_000, 900_000],
    [1_000_000, 1_500_000],
  ] as const) {
    await using store = await ScratchStore.open(parent, 2 ** 30);
    const done: number[] = [];
    const text = await smallRun({
      n,
      memoryBytes,
      threads: 2,
      pool,
      store,
      onProgress: (progress) => done.push(progress.done / progress.total),
    });
    expect(createHash('sha256').update(text).digest('hex'), `${n}!`).toBe(golden.factorials[n].sha256);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
  }
});
