import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startFactorial } from '../../src/compute-factorial.ts';
import { ExternalThreads } from '../../src/engine/decimal/external/external-threads.ts';
import { foldShapeWithParts } from '../../src/engine/decimal/external/fold-shape.ts';
import { multiplyStored } from '../../src/engine/decimal/external/multiply-stored.ts';
import { KernelError } from '../../src/errors.ts';
import { defaultBudget, FileSink } from '../../src/index.ts';
import { MemoryStore } from '../../src/limbs/memory-store.ts';
import { productCoefficients } from '../../src/multiply/product-bound.ts';
import { startTaskPool } from '../../src/pool/start-task-pool.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import { compileKernels } from '../../src/wasm/bridge.ts';
import { makeLimbs, seededRandom } from '../decimal/random.ts';
import { loadBigInt, storeLimbs } from './stored.ts';

const damaging = new URL('../fixtures/damaged-residue-task.mjs', import.meta.url);

test.each(['twiddles', 'residues'])(
  'a bit flipped anywhere in the %s of a task is noticed, unless the product is right without it',
  async (kind) => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    const { signal } = new AbortController();
    await using pool = await startTaskPool({ threads: 2, signal });
    let fatalTask = 0;
    let tasks = 0;
    const damagingPool: TaskPool = {
      concurrency: pool.concurrency,
      isWarm: pool.isWarm,
      kernels: (bytes) => pool.kernels(bytes),
      run: (module, task) =>
        module.pathname.endsWith('residue-task.js') && tasks++ === fatalTask
          ? pool.run(damaging, { task, kind, at: random(), bit: Math.floor(8 * random()) })
          : pool.run(module, task),
      [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
    };
    let noticed = 0;
    for (let round = 0; round < 30; round++) {
      await using store = new MemoryStore(2 ** 26);
      const threads = new ExternalThreads(damagingPool, signal, 2, 2 ** 20, randomUUID(), compileKernels());
      const [aLimbs, bLimbs] = [500 + Math.floor(3000 * random()), 500 + Math.floor(3000 * random())];
      const a = await storeLimbs(store, makeLimbs(random, aLimbs, 'random'));
      const b = random() < 0.3 ? a : await storeLimbs(store, makeLimbs(random, bLimbs, 'random'));
      const parts = 1 + Math.floor(4 * random());
      const coefficients = productCoefficients(a.limbCount, b.limbCount);
      const shape = foldShapeWithParts(coefficients, parts, a === b, 2 ** 20)!;
      [tasks, fatalTask] = [0, Math.floor(5 * parts * random())];
      const expected = (await loadBigInt(a)) * (await loadBigInt(b));
      const label = `seed ${seed}, round ${round}: ${a.limbCount} by ${b.limbCount} limbs, task ${fatalTask}`;
      try {
        const product = await multiplyStored({ threads, store }, a, b, async () => undefined, shape);
        expect((await loadBigInt(product)) === expected, label).toBe(true);
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        expect(error.code, label).toBe('verification-failed');
        noticed++;
      }
      expect(tasks, label).toBe(5 * parts);
    }
    expect(noticed, `seed ${seed}`).toBeGreaterThan(kind === 'residues' ? 20 : 5);
  },
);

test('a bit flipped anywhere in the text of a run out of core is noticed, and no file is published', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'text-flips-'));
  try {
    const memoryBytes = 64 * 2 ** 20;
    const budget = defaultBudget({ memoryBytes, scratchDir: folder, scratchBytes: 2 ** 30, threads: 1 });
    for (let round = 0; round < 2; round++) {
      let position = -1n;
      const bit = Math.floor(8 * random());
      const corruptChunk = (chunk: Uint8Array, offset: bigint) => {
        const index = Number(position - offset);
        if (index >= 0 && index < chunk.length) chunk[index]! ^= 1 << bit;
      };
      const result = await startFactorial(2_000_000, { budget }, { corruptChunk });
      expect(result.plan.storage).not.toBe('memory');
      const { digitCount } = result;
      position = (digitCount * BigInt(Math.floor(random() * 2 ** 30))) >> 30n;
      const written = new FileSink(join(folder, 'digits.txt')).write({ digits: result.digits(), digitCount });
      const label = `seed ${seed}, round ${round}: bit ${bit} of digit ${position}`;
      await expect(written, label).rejects.toMatchObject({ code: 'verification-failed' });
      expect(await readdir(folder), label).toEqual([]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
