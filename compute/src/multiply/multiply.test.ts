import { describe, expect, test } from 'vitest';
import { makeLimbs, pickPattern, seededRandom } from '../../test/decimal/random.ts';
import { makeTestMemory } from '../../test/decimal/test-memory.ts';
import { readBigInt, writeLimbs } from '../limbs/decimal-number.ts';
import { multiplyAlone, multiplySchoolbook } from './multiply.ts';
import { multiplyNaive } from './naive.ts';
import { aloneTeam } from './team.ts';
import { choosePieces, multiplyUnbalanced } from './unbalanced.ts';

const memory = makeTestMemory(1 << 14, 10);
const { instance, worker, area, take } = memory;
const { words, kernels } = instance;
const [aPtr, bPtr, outPtr, sidePtr] = [take(1 << 18), take(1 << 18), take(1 << 19), take(1 << 18)];

function limbsAt(ptr: number, count: number): number[] {
  return Array.from(words.subarray(ptr >> 2, (ptr >> 2) + count));
}

describe('small products', () => {
  test('the schoolbook kernel agrees with its naive sibling for random and extreme limbs', () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    for (let round = 0; round < 150; round++) {
      const [aCount, bCount] = [1 + Math.floor(random() * 70), 1 + Math.floor(random() * 70)];
      const [aLimbs, bLimbs] = [
        makeLimbs(random, aCount, pickPattern(random)),
        makeLimbs(random, bCount, pickPattern(random)),
      ];
      const product = multiplySchoolbook(
        worker,
        writeLimbs(instance, aPtr, aLimbs),
        writeLimbs(instance, bPtr, bLimbs),
        outPtr,
      );
      expect(limbsAt(outPtr, product.limbCount), `seed ${seed}, round ${round}`).toEqual(multiplyNaive(aLimbs, bLimbs));
    }
  });

  test('a long column of all nines does not overflow its sum', () => {
    const nines = new Array<number>(3000).fill(999_999_999);
    const a = writeLimbs(instance, aPtr, nines);
    expect(readBigInt(instance, multiplySchoolbook(worker, a, a, outPtr)) === (10n ** 27_000n - 1n) ** 2n).toBe(true);
  });

  test('products of words agree with BigInt for every count around the leaf sizes', () => {
    const random = seededRandom(5);
    for (const count of [1, 2, 7, 8, 9, 16, 17, 127, 128]) {
      const factors = Array.from({ length: count }, () => 1 + Math.floor(random() * 999_999_999));
      words.set(factors, aPtr >> 2);
      const limbCount = kernels.multiplyWords(aPtr, count, outPtr, bPtr);
      const expected = factors.reduce((product, factor) => product * BigInt(factor), 1n);
      expect(readBigInt(instance, { ptr: outPtr, limbCount }) === expected).toBe(true);
      expect(limbsAt(outPtr + 4 * limbCount, -limbCount & 7).every((limb) => limb === 0)).toBe(true);
    }
  });

  test('multiplyAlone agrees with BigInt on both sides of its threshold', () => {
    const random = seededRandom(6);
    for (const [aCount, bCount] of [
      [116, 116],
      [117, 116],
      [117, 117],
      [1, 500],
      [500, 97],
      [400, 300],
    ] as const) {
      const a = writeLimbs(instance, aPtr, makeLimbs(random, aCount, 'random'));
      const b = writeLimbs(instance, bPtr, makeLimbs(random, bCount, 'mixed'));
      const expected = readBigInt(instance, a) * readBigInt(instance, b);
      expect(readBigInt(instance, multiplyAlone(worker, area, a, b, outPtr)) === expected).toBe(true);
    }
  });
});

describe('multiplyUnbalanced', () => {
  test('agrees with BigInt for random unlike lengths, patterns and divisions of the work', () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    let cut = 0;
    for (let round = 0; round < 40; round++) {
      const aCount = 2000 + Math.floor(random() * 25_000);
      const bCount = 40 + Math.floor(random() * (aCount / (2 + 20 * random())));
      const a = writeLimbs(instance, aPtr, makeLimbs(random, aCount, pickPattern(random)));
      const b = writeLimbs(instance, bPtr, makeLimbs(random, bCount, pickPattern(random)));
      if (choosePieces(aCount, bCount, area.bytes) > 1) cut++;
      const expected = readBigInt(instance, a) * readBigInt(instance, b);
      const team = { ...aloneTeam, threads: 1 + Math.floor(random() * 3) };
      const product = multiplyUnbalanced(team, worker, area, a, b, outPtr, sidePtr);
      expect(readBigInt(instance, product) === expected, `seed ${seed}, round ${round}: ${aCount} × ${bCount}`).toBe(
        true,
      );
    }
    expect(cut).toBeGreaterThan(5);
  });

  test('adds overlapping pieces through all nines', () => {
    // (B^m − 1)(B^k − 1) and (B^m − 1)(B^k + 1) have runs of nines across every border.
    const a = writeLimbs(instance, aPtr, new Array<number>(20_000).fill(999_999_999));
    for (const last of [999_999_999, 0]) {
      const bLimbs = last === 0 ? [1, ...new Array<number>(998).fill(0), 1] : new Array<number>(1000).fill(last);
      const b = writeLimbs(instance, bPtr, bLimbs);
      const expected = readBigInt(instance, a) * readBigInt(instance, b);
      const product = multiplyUnbalanced(aloneTeam, worker, area, a, b, outPtr, sidePtr);
      expect(readBigInt(instance, product) === expected).toBe(true);
    }
  });
});

describe('addLimbs', () => {
  test('carries through nines to the end and says so', () => {
    writeLimbs(instance, aPtr, [999_999_999, 999_999_999, 999_999_999]);
    writeLimbs(instance, bPtr, [1]);
    expect(kernels.addLimbs(aPtr, 3, bPtr, 1)).toBe(1);
    expect(limbsAt(aPtr, 3)).toEqual([0, 0, 0]);
    writeLimbs(instance, aPtr, [5, 999_999_999, 7]);
    writeLimbs(instance, bPtr, [999_999_995, 0]);
    expect(kernels.addLimbs(aPtr, 3, bPtr, 2)).toBe(0);
    expect(limbsAt(aPtr, 3)).toEqual([0, 0, 8]);
  });
});
