import { afterAll, beforeAll, expect, test } from 'vitest';
import { controlWords } from '../../src/engine/decimal/arena.ts';
import { readBigInt, writeLimbs } from '../../src/limbs/decimal-number.ts';
import { multiplyNaive } from '../../src/multiply/naive.ts';
import { scratchBytes } from '../../src/multiply/workspace.ts';
import { startTaskPool } from '../../src/pool/start-task-pool.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import { makeLimbs, pickPattern, seededRandom } from './random.ts';
import { makeTestMemory } from './test-memory.ts';

const mostThreads = 4;
const mostLimbs = 9_000;
const task = new URL('../fixtures/multiply-task.mjs', import.meta.url);
const { instance, worker, area, take } = makeTestMemory(mostLimbs, 10);
const { module, memory, words } = instance;
const [aPtr, bPtr, outPtr, sidePtr] = [1, 1, 3, 1].map((times) => take(times * 4 * (mostLimbs + 64))) as [
  number,
  number,
  number,
  number,
];
const controlPtr = take(4 * controlWords);
const scratchPtrs = Array.from({ length: mostThreads }, () => take(scratchBytes));

let pool: TaskPool;
beforeAll(async () => {
  pool = await startTaskPool({ threads: mostThreads, signal: new AbortController().signal });
});
afterAll(() => pool[Symbol.asyncDispose]());

interface Product {
  readonly aLimbs: readonly number[];
  /** Absent = a square. */
  readonly bLimbs: readonly number[] | undefined;
  readonly threads: number;
  /** Residues beyond so many bytes go prime by prime. */
  readonly togetherBytes: number;
  readonly byPieces: boolean;
}

/** The product as so many threads make it, every range asserted; its limbs stay at outPtr. */
async function multiplyOnThreads({ aLimbs, bLimbs, threads, togetherBytes, byPieces }: Product) {
  const a = writeLimbs(instance, aPtr, aLimbs);
  const b = bLimbs === undefined ? a : writeLimbs(instance, bPtr, bLimbs);
  words.fill(0, controlPtr >> 2, (controlPtr >> 2) + controlWords);
  const [long, short] = a.limbCount >= b.limbCount ? [a, b] : [b, a];
  const [tables, operands] = [worker.tables, { a: long, b: short, outPtr }];
  const side = byPieces ? { sidePtr } : {};
  const limbCounts = await Promise.all(
    scratchPtrs.slice(0, threads).map((scratchPtr) =>
      pool.run<number>(task, {
        ...{ module, memory, controlPtr, threads, tables, scratchPtr, togetherBytes, area },
        ...operands,
        ...side,
      }),
    ),
  );
  expect(new Set(limbCounts).size).toBe(1);
  return { a, b, product: { ptr: outPtr, limbCount: limbCounts[0]! } };
}

test('products of random shapes, lengths, patterns and numbers of real threads agree with the naive sibling', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  for (let round = 0; round < 150; round++) {
    const small = round < 100;
    const isSquare = random() < 0.3;
    // A product of any two such lengths fits.
    const length = () => Math.ceil((small ? 150 : mostLimbs / 2) ** random());
    const product: Product = {
      aLimbs: makeLimbs(random, length(), pickPattern(random)),
      bLimbs: isSquare ? undefined : makeLimbs(random, length(), pickPattern(random)),
      threads: 1 + Math.floor(mostThreads * random()),
      togetherBytes: random() < 0.5 ? 0 : area.bytes,
      byPieces: !isSquare && random() < 0.5,
    };
    const made = await multiplyOnThreads(product);
    const { threads, togetherBytes, byPieces } = product;
    const label = `seed ${seed}, round ${round}: ${made.a.limbCount} by ${made.b.limbCount} limbs, ${JSON.stringify({ threads, togetherBytes, byPieces })}`;
    if (small) {
      const limbs = Array.from(words.subarray(outPtr >> 2, (outPtr >> 2) + made.product.limbCount));
      expect(limbs, label).toEqual(multiplyNaive(product.aLimbs, product.bLimbs ?? product.aLimbs));
    } else {
      const expected = readBigInt(instance, made.a) * readBigInt(instance, made.b);
      expect(readBigInt(instance, made.product) === expected, label).toBe(true);
    }
  }
});

test('nines and zeros across every border between the blocks of the threads agree with their closed forms', async () => {
  const nines = (count: number) => new Array<number>(count).fill(999_999_999);
  const power = (count: number) => [...new Array<number>(count).fill(0), 1];
  for (const threads of [1, 2, 3, 4]) {
    for (const count of [1, 8, 129, 1_000, 2_049, 4_400]) {
      for (const togetherBytes of [0, area.bytes]) {
        const more = { threads, togetherBytes, byPieces: false };
        const label = `${count} limbs on ${threads} threads`;
        const b = 10n ** BigInt(9 * count);
        const square = await multiplyOnThreads({ aLimbs: nines(count), bLimbs: undefined, ...more });
        expect(readBigInt(instance, square.product) === (b - 1n) ** 2n, label).toBe(true);
        const withOne = power(count).with(0, 1);
        const allNines = await multiplyOnThreads({ aLimbs: nines(count), bLimbs: withOne, ...more });
        expect(readBigInt(instance, allNines.product) === b * b - 1n, label).toBe(true);
        const zeros = await multiplyOnThreads({ aLimbs: power(count), bLimbs: power(count), ...more });
        expect(readBigInt(instance, zeros.product) === b * b, label).toBe(true);
      }
    }
  }
});
