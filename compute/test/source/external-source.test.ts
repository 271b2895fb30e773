import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leastExternalBytes, planExternal } from '../../src/engine/decimal/external/external-plan.ts';
import { SourceError } from '../../src/errors.ts';
import { MemoryStore } from '../../src/limbs/memory-store.ts';
import { ScratchStore } from '../../src/limbs/scratch-store.ts';
import { factorialFacts, withSource } from '../../src/plan/plan-factorial.ts';
import { startTaskPool } from '../../src/pool/start-task-pool.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import { seededRandom } from '../decimal/random.ts';
import { smallRun } from '../external/small-run.ts';
import { factorialNaive } from '../factorial-naive.ts';
import { sourceOf } from './memory-run.ts';

let pool: TaskPool;
let parent: string;
beforeAll(async () => {
  pool = await startTaskPool({ threads: 2, signal: new AbortController().signal });
  parent = await mkdtemp(join(tmpdir(), 'external-source-'));
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  expect(await readdir(parent)).toEqual([]);
  await rm(parent, { recursive: true });
});

const factsFrom = (n: number, m: number) =>
  withSource(factorialFacts(BigInt(n)), { m: BigInt(m), bytesPerSecond: 1e9 });

test('out of core, random n from random m are the factorials multiplied out, within the scratch that was planned', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  for (let round = 0; round < 16; round++) {
    const n = round < 4 ? [5, 25, 3125, 20_000][round]! : 2 + Math.floor(25_000 * random() ** 2);
    const m = round < 3 ? n - 1 : Math.max(2, Math.ceil(n * (1 - random() ** 3)));
    const facts = factsFrom(n, m);
    const threads = 1 + Math.floor(random() * 2);
    // Every other pair of rounds goes the way of large n: primes of two limbs, batches of segments, products that are cut.
    const most = 300 + Math.floor(700 * random());
    const large = { primeLimbs: 2, segmentsPerBatch: 2, limits: { mostCoefficients: most, mostTerms: most } } as const;
    const settings = round % 4 < 2 ? {} : { ...large, mostGroupLimbs: 512 };
    const memoryBytes =
      Math.ceil(threads * leastExternalBytes(facts)! * ((round % 4 < 2 ? 1 : 3) + random() ** 3)) + 65_536;
    const plan = planExternal(facts, memoryBytes, threads, settings)!;
    await using store =
      round % 2 === 0 ? new MemoryStore(plan.scratchBytes) : await ScratchStore.open(parent, plan.scratchBytes);
    const from = { m, source: sourceOf(factorialNaive(m).toString(), 1 + Math.floor(random() ** 2 * 100_000)) };
    const text = await smallRun({ n, memoryBytes, threads, pool, store, from, settings });
    const label = `seed ${seed}, round ${round}: ${n}! from ${m}! in ${memoryBytes} bytes on ${threads} threads, ${JSON.stringify(settings)}`;
    expect(text === factorialNaive(n).toString(), label).toBe(true);
    expect(store.peakBytes, label).toBeLessThanOrEqual(plan.scratchBytes);
  }
});

test('out of core, a digit that is wrong is noticed before anything is multiplied by it', async () => {
  const [n, m] = [6000, 5900];
  const text = Buffer.from(factorialNaive(m).toString());
  text[4321] = text[4321] === 49 ? 50 : 49;
  await using store = await ScratchStore.open(parent, 2 ** 28);
  const memoryBytes = 2 * leastExternalBytes(factsFrom(n, m))!;
  const running = smallRun({ n, memoryBytes, threads: 1, pool, store, from: { m, source: sourceOf(text) } });
  await expect(running).rejects.toBeInstanceOf(SourceError);
});
