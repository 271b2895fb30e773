import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CheckpointStore } from '../../src/checkpoint/checkpoint-store.ts';
import { readJournal } from '../../src/checkpoint/step-journal.ts';
import { leastExternalBytes, planExternal } from '../../src/engine/decimal/external/external-plan.ts';
import { multiplyLong } from '../../src/engine/decimal/external/multiply-long.ts';
import { multiplyStored } from '../../src/engine/decimal/external/multiply-stored.ts';
import { fieldLimits, isWithinLimits, splitLimbs } from '../../src/engine/decimal/external/product-limits.ts';
import { priceProduct } from '../../src/engine/decimal/external/product-price.ts';
import { StepProgress } from '../../src/engine/decimal/external/step-progress.ts';
import { MemoryStore } from '../../src/limbs/memory-store.ts';
import { openBlob } from '../../src/limbs/stored-blob.ts';
import { transformPrimes } from '../../src/multiply/primes.ts';
import { factorialFacts } from '../../src/plan/plan-factorial.ts';
import { startTaskPool } from '../../src/pool/start-task-pool.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import { makeLimbs, pickPattern, seededRandom } from '../decimal/random.ts';
import { factorialNaive } from '../factorial-naive.ts';
import { smallRun } from './small-run.ts';
import { debugThreads, loadBigInt, storeLimbs } from './stored.ts';

let pool: TaskPool;
beforeAll(async () => {
  pool = await startTaskPool({ threads: 2, signal: new AbortController().signal });
});
afterAll(() => pool[Symbol.asyncDispose]());

test('the limits of the field are those of the primes', () => {
  const product = transformPrimes.reduce((all, { p }) => all * BigInt(p), 1n);
  const largest = (10n ** 18n - 1n) ** 2n;
  expect(BigInt(fieldLimits.mostTerms) * largest).toBeLessThan(product);
  expect(BigInt(fieldLimits.mostTerms + 1) * largest).toBeGreaterThanOrEqual(product);
  for (const { p } of transformPrimes) expect(fieldLimits.mostCoefficients).toBeLessThan(p);
});

test('products beyond the limits are cut until they are within, and agree with BigInt in all shapes', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const threads = debugThreads(pool, 2, 2 ** 20);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let round = 0; round < 25; round++) {
    await using store = new MemoryStore(2 ** 26);
    const limits = { mostCoefficients: 32 + below(200), mostTerms: 16 + below(100) };
    const length = () => 1 + below(round < 15 ? 300 : 1000);
    const makeOperand = async () => {
      const limbs = makeLimbs(random, length(), pickPattern(random));
      // A low half of nothing but zeros now and then.
      if (random() < 0.25) limbs.fill(0, 0, Math.floor(limbs.length * (0.4 + 0.5 * random())));
      return storeLimbs(store, limbs);
    };
    const a = await makeOperand();
    const b = random() < 0.4 ? a : await makeOperand();
    const price = priceProduct(a.limbCount, b.limbCount, a === b, { regionBytes: 2 ** 20, threads: 2, limits })!;
    const operandBytes = store.usedBytes;
    const expected = (await loadBigInt(a)) * (await loadBigInt(b));
    const product = await multiplyLong({ threads, store, limits }, a, b, async () => undefined);
    const label = `seed ${seed}, round ${round}: ${a.limbCount} by ${b.limbCount} limbs within ${JSON.stringify(limits)}`;
    expect((await loadBigInt(product)) === expected, label).toBe(true);
    expect(store.usedBytes, label).toBe(operandBytes + product.blob.bytes);
    // Padding of short parts is not in the price.
    expect(store.peakBytes - operandBytes, label).toBeLessThanOrEqual(1.1 * price.workingBytes + 4096);
  }
});

test('parts of unlike lengths, whose middle product is longer than the whole, agree with BigInt', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const threads = debugThreads(pool, 2, 2 ** 20);
  const limits = { mostCoefficients: 32, mostTerms: 1000 };
  for (let aLimbs = 33; aLimbs <= 49; aLimbs += 4) {
    for (let bLimbs = 25; bLimbs <= aLimbs; bLimbs += 2) {
      await using store = new MemoryStore(2 ** 22);
      const a = await storeLimbs(store, makeLimbs(random, aLimbs, pickPattern(random)));
      const b = await storeLimbs(store, makeLimbs(random, bLimbs, pickPattern(random)));
      const expected = (await loadBigInt(a)) * (await loadBigInt(b));
      const product = await multiplyLong({ threads, store, limits }, a, b, async () => undefined);
      expect((await loadBigInt(product)) === expected, `seed ${seed}: ${aLimbs} by ${bLimbs} limbs`).toBe(true);
    }
  }
});

test('a product beyond the limits is never tried by residues alone', async () => {
  await using store = new MemoryStore(2 ** 20);
  const threads = debugThreads(pool, 1, 2 ** 20);
  const a = await storeLimbs(store, new Array<number>(100).fill(7));
  const limits = { mostCoefficients: 99, mostTerms: 1000 };
  const product = multiplyStored({ threads, store, limits }, a, a, async () => undefined);
  await expect(product).rejects.toThrow(/within the reach of the primes, got 100 by 100 limbs/);
});

test('a limb that changes in an operand that is cut is noticed', async () => {
  await using store = new MemoryStore(2 ** 24);
  const threads = debugThreads(pool, 2, 2 ** 20);
  const random = seededRandom(7);
  const limits = { mostCoefficients: 64, mostTerms: 64 };
  for (const at of [0, 100, 299]) {
    const a = await storeLimbs(store, makeLimbs(random, 300, 'random'));
    const b = await storeLimbs(store, makeLimbs(random, 200, 'random'));
    {
      await using opened = await openBlob(a.blob);
      const limb = new Uint32Array(1);
      await opened.read(4 * at, new Uint8Array(limb.buffer));
      limb[0]! ^= 1;
      await opened.write(4 * at, new Uint8Array(limb.buffer));
    }
    const product = multiplyLong({ threads, store, limits }, a, b, async () => undefined);
    await expect(product).rejects.toMatchObject({ code: 'verification-failed' });
  }
});

test('whole factorials come out right when nearly every product is beyond the limits, within the scratch that was planned', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  for (let round = 0; round < 3; round++) {
    const n = 8000 + Math.floor(20_000 * random());
    const facts = factorialFacts(BigInt(n));
    const most = 256 + Math.floor(700 * random());
    const settings = { limits: { mostCoefficients: most, mostTerms: most }, mostGroupLimbs: 512 };
    const memoryBytes = 2 * leastExternalBytes(facts)! + 65_536;
    const plan = planExternal(facts, memoryBytes, 2, settings)!;
    expect(plan.chainCost).toBeGreaterThan(planExternal(facts, memoryBytes, 2, { mostGroupLimbs: 512 })!.chainCost);
    await using store = new MemoryStore(plan.scratchBytes);
    const text = await smallRun({ n, memoryBytes, threads: 2, pool, store, settings });
    expect(text === factorialNaive(n).toString(), `seed ${seed}, ${n}!, ${JSON.stringify(settings)}`).toBe(true);
  }
});

test('every cut leaves shorter products, whatever the lengths and limits', () => {
  for (let most = 32; most < 200; most += 7) {
    const limits = { mostCoefficients: most, mostTerms: Math.max(16, most - 20) };
    for (let limbs = 1; limbs < 2000; limbs += 13) {
      const half = splitLimbs(limbs, limbs, limits);
      if (half === undefined) expect(isWithinLimits(limbs, limbs, limits)).toBe(true);
      else expect(half + 1).toBeLessThan(limbs);
    }
  }
});

test('a cut product that is stopped anywhere goes on from the products of its parts', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const threads = debugThreads(pool, 2, 2 ** 20);
  const limits = { mostCoefficients: 120, mostTerms: 120 };
  for (const stopAfter of [3, 8, 14, 17]) {
    const directory = await mkdtemp(join(tmpdir(), 'cut-product-'));
    const store = await CheckpointStore.open(directory, 2 ** 26);
    const a = await storeLimbs(store, makeLimbs(random, 230, 'random'));
    const b = await storeLimbs(store, makeLimbs(random, 210, 'random'));
    const expected = (await loadBigInt(a)) * (await loadBigInt(b));
    const multiply = async (onCost: (cost: number, isInherited?: boolean) => void) => {
      const progress = new StepProgress(store, threads, '1', await readJournal(directory, '1')).product('product');
      return multiplyLong({ threads, store, limits, progress, onCost }, a, b, async () => undefined);
    };
    let calls = 0;
    const stopped = multiply((cost) => {
      if (cost > 0 && ++calls > stopAfter) throw new Error('enough');
    });
    await expect(stopped).rejects.toThrow('enough');
    let inherited = 0;
    const product = await multiply((cost, isInherited = false) => {
      if (isInherited) inherited += cost;
    });
    expect((await loadBigInt(product)) === expected, `seed ${seed}, after ${stopAfter}`).toBe(true);
    expect(inherited, `${stopAfter}`).toBeGreaterThan(0);
    await rm(directory, { recursive: true });
  }
});
