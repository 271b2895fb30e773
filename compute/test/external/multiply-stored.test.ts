import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { foldShapeWithParts } from '../../src/engine/decimal/external/fold-shape.ts';
import { multiplyStored } from '../../src/engine/decimal/external/multiply-stored.ts';
import { MemoryStore } from '../../src/limbs/memory-store.ts';
import { ScratchStore } from '../../src/limbs/scratch-store.ts';
import { productCoefficients } from '../../src/multiply/product-bound.ts';
import { startTaskPool } from '../../src/pool/start-task-pool.ts';
import { makeLimbs, pickPattern, seededRandom } from '../decimal/random.ts';
import { debugThreads, loadBigInt, storeLimbs } from './stored.ts';

test('products of random shapes, parts, blocks and threads agree with BigInt, every range asserted', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const { signal } = new AbortController();
  await using pool = await startTaskPool({ threads: 2, signal });
  const below = (limit: number) => Math.floor(random() * limit);
  let most = 0;
  for (let round = 0; round < 40; round++) {
    const threads = debugThreads(pool, 1 + below(2), 2 ** 20);
    await using store = new MemoryStore(2 ** 28);
    const longest = 8 + below(round < 30 ? 1500 : 12_000);
    const a = await storeLimbs(store, makeLimbs(random, 1 + below(longest), pickPattern(random)));
    const isSquare = random() < 0.4;
    const b = isSquare ? a : await storeLimbs(store, makeLimbs(random, 1 + below(longest), pickPattern(random)));
    const coefficients = productCoefficients(a.limbCount, b.limbCount);
    const parts = 1 + below(random() < 0.5 ? 4 : 24);
    const fitting = foldShapeWithParts(coefficients, parts, isSquare, 2 ** 20)!;
    const residueColumns = Math.min(fitting.residueColumns, 16 * (1 + below(8)));
    const combineColumns = Math.min(fitting.combineColumns, 16 * (1 + below(100)));
    const shape = { ...fitting, residueColumns, combineColumns };
    most = Math.max(most, parts);
    const expected = (await loadBigInt(a)) * (await loadBigInt(b));
    const product = await multiplyStored({ threads, store }, a, b, async () => undefined, shape);
    const label = `seed ${seed}, round ${round}: ${a.limbCount} by ${b.limbCount} limbs, ${JSON.stringify(shape)}`;
    expect((await loadBigInt(product)) === expected, label).toBe(true);
    expect(store.usedBytes).toBe(a.blob.bytes + (isSquare ? 0 : b.blob.bytes) + product.blob.bytes);
  }
  // Beyond one group of the interpolation's sums.
  expect(most, `seed ${seed}`).toBeGreaterThan(8);
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
    expect((await readdir(store.directory)).filter((name) => name !== 'owner')).toHaveLength(1);
  } finally {
    expect(await readdir(parent)).toEqual([]);
    await rm(parent, { recursive: true });
  }
});

test('a bit that flips in an operand or in a residue file is noticed', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'external-'));
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const { signal } = new AbortController();
  await using pool = await startTaskPool({ threads: 2, signal });
  const flip = async (path: string, size: number) => {
    const file = await open(path, 'r+');
    // The lowest bit of a word: a limb stays below the radix, which these kernels assert.
    const at = 4 * Math.floor((size / 4) * random());
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    await file.write(Buffer.of(byte[0]! ^ 1), 0, 1, at);
    await file.close();
  };
  try {
    for (let round = 0; round < 8; round++) {
      await using store = await ScratchStore.open(parent, 2 ** 28);
      const threads = debugThreads(pool, 2, 2 ** 20);
      const a = await storeLimbs(store, makeLimbs(random, 4000, 'random'));
      const b = await storeLimbs(store, makeLimbs(random, 3000, 'random'));
      const shape = foldShapeWithParts(productCoefficients(4000, 3000), 3, false, 2 ** 20)!;
      const damage = async () => {
        const files = (await readdir(store.directory)).filter((name) => name.includes('residue'));
        const file = files[Math.floor(random() * files.length)]!;
        await flip(join(store.directory, file), 4 * shape.points);
      };
      if (round % 2 === 0 && a.blob.location.kind === 'scratch') await flip(a.blob.location.path, 4 * a.limbCount);
      const product = multiplyStored({ threads, store }, a, b, round % 2 === 0 ? async () => undefined : damage, shape);
      await expect(product, `seed ${seed}, round ${round}`).rejects.toMatchObject({ code: 'verification-failed' });
    }
  } finally {
    await rm(parent, { recursive: true });
  }
});
