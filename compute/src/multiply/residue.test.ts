import { describe, expect, test } from 'vitest';
import { makeLimbs, pickPattern, seededRandom } from '../../test/decimal/random.ts';
import { makeTestMemory } from '../../test/decimal/test-memory.ts';
import { readBigInt, writeLimbs } from '../limbs/decimal-number.ts';
import { multiplyNaive } from './naive.ts';
import { multiplyResidue } from './residue.ts';
import { aloneTeam } from './team.ts';
import { maxCoefficients, mostLevels, transformShape } from './transform-shape.ts';

const memory = makeTestMemory(1 << 13, 9);
const narrow = makeTestMemory(1 << 13, 9, true);
const capacity = 4 * (1 << 14) + 64;

describe('multiplyResidue', () => {
  test('agrees with the schoolbook for random shapes, patterns and divisions of the work, every range asserted', () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    const { instance, worker, area } = memory;
    const [aPtr, bPtr, outPtr] = [memory.take(capacity), memory.take(capacity), memory.take(2 * capacity)];
    for (let round = 0; round < 120; round++) {
      const longest = round < 80 ? 60 : 400;
      const sizes = [1 + Math.floor(random() * longest), 1 + Math.floor(random() * longest)] as const;
      const aLimbs = makeLimbs(random, sizes[0], pickPattern(random));
      const square = random() < 0.3;
      const bLimbs = square ? aLimbs : makeLimbs(random, sizes[1], pickPattern(random));
      const a = writeLimbs(instance, aPtr, aLimbs);
      const b = square ? a : writeLimbs(instance, bPtr, bLimbs);
      const threads = 1 + Math.floor(random() * 5);
      const product = multiplyResidue({ ...aloneTeam, threads }, worker, area, a, b, outPtr);
      const got = Array.from(instance.words.subarray(outPtr >> 2, (outPtr >> 2) + product.limbCount));
      expect(got, `seed ${seed}, round ${round}, ${sizes} limbs`).toEqual(multiplyNaive(aLimbs, bLimbs));
    }
  });

  test('agrees with BigInt for longer operands, with one array for the second operand too', () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    for (const { instance, worker, area, take } of [memory, narrow]) {
      const [aPtr, bPtr, outPtr] = [take(capacity), take(capacity), take(2 * capacity)];
      for (let round = 0; round < 12; round++) {
        const total = 200 + Math.floor(random() * 15_000);
        const share = 1 + Math.floor(random() * (total - 1));
        const a = writeLimbs(instance, aPtr, makeLimbs(random, share, pickPattern(random)));
        const b = writeLimbs(instance, bPtr, makeLimbs(random, total - share, pickPattern(random)));
        const expected = readBigInt(instance, a) * readBigInt(instance, b);
        const team = { ...aloneTeam, threads: 1 + Math.floor(random() * 3) };
        const product = multiplyResidue(team, worker, area, a, b, outPtr);
        expect(readBigInt(instance, product) === expected, `seed ${seed}, round ${round}`).toBe(true);
      }
    }
  });

  test('carries through runs of nines and zeros that cross every border between blocks', () => {
    const { instance, worker, area } = memory;
    const [aPtr, bPtr, outPtr] = [memory.take(capacity), memory.take(capacity), memory.take(2 * capacity)];
    for (const limbs of [130, 1027, 4000]) {
      // (B^m − 1)² = B^2m − 2B^m + 1 and (B^m − 1)(B^m + 1) = B^2m − 1.
      const nines = new Array<number>(limbs).fill(999_999_999);
      const a = writeLimbs(instance, aPtr, nines);
      const one = writeLimbs(instance, bPtr, [1, ...new Array<number>(limbs - 1).fill(0), 1]);
      for (const threads of [1, 2, 7]) {
        const team = { ...aloneTeam, threads };
        const square = multiplyResidue(team, worker, area, a, a, outPtr);
        expect(readBigInt(instance, square) === (10n ** BigInt(9 * limbs) - 1n) ** 2n).toBe(true);
        const allNines = multiplyResidue(team, worker, area, a, one, outPtr);
        expect(readBigInt(instance, allNines) === 10n ** BigInt(18 * limbs) - 1n).toBe(true);
      }
    }
  });

  test('may write its product over an operand', () => {
    const { instance, worker, area } = memory;
    const ptr = memory.take(2 * capacity);
    const a = writeLimbs(instance, ptr, makeLimbs(seededRandom(7), 999, 'random'));
    const expected = readBigInt(instance, a) ** 2n;
    expect(readBigInt(instance, multiplyResidue(aloneTeam, worker, area, a, a, ptr)) === expected).toBe(true);
  });
});

describe('transformShape', () => {
  test('holds what was asked, is at most a seventh longer than the next shorter one, and has tables for all its levels', () => {
    let last = transformShape(1);
    for (let wanted = 1; wanted < 300_000; wanted += wanted < 3000 ? 1 : 37) {
      const shape = transformShape(wanted);
      expect(shape.coefficients).toBeGreaterThanOrEqual(wanted);
      expect(shape.columns).toBe(shape.leafLength * 2 ** shape.levels);
      expect(shape.columns % 4).toBe(0);
      expect(shape.coefficients).toBeGreaterThanOrEqual(last.coefficients);
      if (wanted > 256) expect(shape.coefficients / last.coefficients).toBeLessThan(8.01 / 7);
      // Whatever is shorter gets by with the levels of what is longer.
      expect(mostLevels(wanted)).toBeGreaterThanOrEqual(shape.levels);
      expect(mostLevels(wanted)).toBeGreaterThanOrEqual(mostLevels(last.coefficients));
      last = shape;
    }
  });

  test('reaches its stated maximum and refuses one coefficient more', () => {
    expect(transformShape(maxCoefficients).coefficients).toBe(maxCoefficients);
    expect(() => transformShape(maxCoefficients + 1)).toThrow(/expected at most/);
  });
});
