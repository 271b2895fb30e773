import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { multiplyStored } from '../../src/engine/decimal/external/multiply-stored.ts';
import { chooseFoldShape } from '../../src/engine/decimal/external/fold-shape.ts';
import { MemoryStore } from '../../src/limbs/memory-store.ts';
import { ScratchStore } from '../../src/limbs/scratch-store.ts';
import { startTaskPool } from '../../src/pool/task-pool.ts';
import { makeLimbs, pickPattern, seededRandom } from '../decimal/random.ts';
import { debugThreads, loadBigInt, storeLimbs } from './stored.ts';

test('products of random shapes in random memory agree with BigInt, every range asserted', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const { signal } = new AbortController();
  await using pool = await startTaskPool({ threads: 2, signal });
  const parts = new Set<number>();
  for (let round = 0; round < 14; round++) {
    const regionBytes = 64 * Math.floor(2 ** (10.3 + 2 * random()));
    const threads = debugThreads(pool, 1 + Math.floor(random() * 2), regionBytes);
    await using store = new MemoryStore(2 ** 28);
    const most = 8 + Math.floor(100_000 * random());
    const a = await storeLimbs(store, makeLimbs(random, 1 + Math.floor(random() * most), pickPattern(random)));
    const isSquare = random() < 0.4;
    const b = isSquare
      ? a
      : await storeLimbs(store, makeLimbs(random, 1 + Math.floor(random() * most), pickPattern(random)));
    const label = `seed ${seed}, round ${round}: ${a.limbCount} by ${b.limbCount} limbs, ${regionBytes} bytes`;
    const shape = chooseFoldShape(a.limbCount, b.limbCount, isSquare, regionBytes, threads.count);
    if (shape === undefined) continue;
    parts.add(shape.parts);
    const expected = (await loadBigInt(a)) * (await loadBigInt(b));
    const product = await multiplyStored({ threads, store }, a, b, async () => undefined);
    expect((await loadBigInt(product)) === expected, `${label}, ${shape.parts} parts`).toBe(true);
  }
  // The sizes reach beyond one transform, else this has tested nothing new.
  expect(Math.max(...parts), `seed ${seed}`).toBeGreaterThan(4);
});

test('a square of all nines carries across every border, through scratch files that are gone afterwards', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'external-'));
  const { signal } = new AbortController();
  await using pool = await startTaskPool({ threads: 2, signal });
  try {
    await using store = await ScratchStore.open(parent, 2 ** 28);
    const threads = debugThreads(pool, 2, 200_000);
    const a = await storeLimbs(store, new Array<number>(20_001).fill(999_999_999));
    const square = await multiplyStored({ threads, store }, a, a, () => store.remove(a.blob));
    expect((await loadBigInt(square)) === (10n ** (9n * 20_001n) - 1n) ** 2n).toBe(true);
    expect(store.usedBytes).toBe(square.blob.bytes);
    expect(await readdir(store.directory)).toHaveLength(1);
  } finally {
    expect(await readdir(parent)).toEqual([]);
    await rm(parent, { recursive: true });
  }
});
