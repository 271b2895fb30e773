import { describe, expect, test } from 'vitest';
import { readBigInt, writeLimbs } from '../../src/limbs/decimal-number.ts';
import { limbRadix, storeConstant, storeWeights } from '../../src/multiply/prime-constants.ts';
import { log2Order, powerMod, transformPrimes } from '../../src/multiply/primes.ts';
import { makeLimbs, pickPattern, seededRandom } from './random.ts';
import { makeTestMemory } from './test-memory.ts';

const { instance, worker, take } = makeTestMemory(64, 2);
const { kernels, words } = instance;
const { contextPtrs, crtPtr } = worker.tables;
const [inPtr, outPtr, constantPtr, statePtr] = [take(1 << 16), take(1 << 16), take(64), take(64)];
const seed = Date.now() % 2 ** 31;
const random = seededRandom(seed);

/** c_j of the lanes: x^(4L) + 1 = ∏ (x^L − c_j). */
function laneConstant(prime: number, lane: number): bigint {
  const { p, root } = transformPrimes[prime]!;
  return powerMod(BigInt(root), BigInt([1, 5, 3, 7][lane]!) << BigInt(log2Order - 3), BigInt(p));
}

function wordsAt(ptr: number, count: number): bigint[] {
  return Array.from(words.subarray(ptr >> 2, (ptr >> 2) + count), BigInt);
}

/** Words of which every fifth is the largest allowed. */
function randomWords(count: number, below: number): number[] {
  return Array.from({ length: count }, () => (random() < 0.2 ? below - 1 : Math.floor(random() * below)));
}

function place(values: readonly number[], ptr: number): bigint[] {
  words.set(values, ptr >> 2);
  return values.map(BigInt);
}

/** Coefficients of two limbs each. */
function coefficientsOf(limbs: readonly number[]): bigint[] {
  return Array.from(
    { length: limbs.length / 2 },
    (_, i) => BigInt(limbs[2 * i]!) + BigInt(limbRadix) * BigInt(limbs[2 * i + 1]!),
  );
}

/** Every prime, some counts and rounds: `check` returns what the kernel gave and what the naive sibling says, both modulo p. */
function againstNaive(
  check: (prime: number, p: bigint, count: number) => { readonly got: bigint[]; readonly expected: bigint[] },
): void {
  for (const [prime, { p }] of transformPrimes.entries()) {
    for (const count of [4, 8, 60, 256]) {
      const { got, expected } = check(prime, BigInt(p), count);
      const modulo = (values: bigint[]) => values.map((value) => value % BigInt(p));
      expect(modulo(got), `seed ${seed}, prime ${prime}, count ${count}`).toEqual(modulo(expected));
    }
  }
}

describe('a fold kernel agrees with its naive sibling:', () => {
  test('foldCoefficients, first and further', () => {
    againstNaive((prime, p, count) => {
      const z = BigInt(Math.floor(random() * Number(p)));
      storeConstant(instance, prime, constantPtr, z);
      const [first, second] = [1, 2].map(() => makeLimbs(random, 2 * count, pickPattern(random)));
      place(first!, inPtr);
      kernels.foldCoefficients(contextPtrs[prime]!, inPtr, outPtr, count, constantPtr, 1);
      const before = wordsAt(outPtr, count);
      place(second!, inPtr);
      kernels.foldCoefficients(contextPtrs[prime]!, inPtr, outPtr, count, constantPtr, 0);
      const coefficients = [coefficientsOf(first!), coefficientsOf(second!)] as const;
      expect(before.map((value, i) => (value - coefficients[0][i]!) % p)).toEqual(before.map(() => 0n));
      return { got: wordsAt(outPtr, count), expected: coefficients[0].map((c, i) => c * z + coefficients[1][i]!) };
    });
  });

  test('weightResidues, whose weights go on where they stopped', () => {
    againstNaive((prime, p, count) => {
      const root = 1n + BigInt(Math.floor(random() * (Number(p) - 1)));
      storeWeights(instance, prime, constantPtr, root, 5);
      const values = place(randomWords(2 * count, 2 ** 32), outPtr);
      kernels.weightResidues(contextPtrs[prime]!, outPtr, count, constantPtr);
      kernels.weightResidues(contextPtrs[prime]!, outPtr + 4 * count, count, constantPtr);
      const got = wordsAt(outPtr, 2 * count);
      expect(got.every((value) => value < p)).toBe(true);
      return { got, expected: values.map((value, i) => value * powerMod(root, BigInt(5 + i), p)) };
    });
  });

  test('splitResidues, the lanes of four pieces', () => {
    againstNaive((prime, p, count) => {
      const pieces = place(randomWords(4 * count, Number(p)), inPtr);
      kernels.splitResidues(contextPtrs[prime]!, inPtr, 4 * count, outPtr, count);
      const expected = Array.from({ length: 4 * count }, (_, at) => {
        const c = laneConstant(prime, at % 4);
        return [0, 1, 2, 3].reduce((sum, piece) => sum + pieces[piece * count + (at >> 2)]! * c ** BigInt(piece), 0n);
      });
      return { got: wordsAt(outPtr, 4 * count), expected };
    });
  });

  test('interpolateResidues, for one part to more than a group of sums', () => {
    for (const parts of [1, 2, 7, 8, 9, 17, 25]) {
      againstNaive((prime, p, count) => {
        const residues = place(randomWords(parts * count, Number(p)), inPtr);
        const row = place(randomWords(parts, Number(p)), constantPtr + 64);
        kernels.interpolateResidues(contextPtrs[prime]!, inPtr, 4 * count, parts, constantPtr + 64, outPtr, count);
        const got = wordsAt(outPtr, count).map((value) => value << 32n);
        const expected = got.map((_, i) => row.reduce((sum, w, part) => sum + w * residues[part * count + i]!, 0n));
        return { got, expected };
      });
    }
  });
});

describe('a kernel between limbs and residues agrees with its naive sibling:', () => {
  test('splitLanes, for none to four pieces that are not zero', () => {
    for (let pieces = 0; pieces <= 4; pieces++) {
      againstNaive((prime, _, columns) => {
        const limbs = makeLimbs(random, 8 * columns, pickPattern(random)).fill(0, 2 * columns * pieces);
        place(limbs, inPtr);
        const coefficients = coefficientsOf(limbs);
        kernels.splitLanes(contextPtrs[prime]!, inPtr, outPtr, columns, 0, columns, pieces);
        const expected = Array.from({ length: 4 * columns }, (_, at) => {
          const c = laneConstant(prime, at % 4);
          return [0, 1, 2, 3].reduce((sum, t) => sum + coefficients[t * columns + (at >> 2)]! * c ** BigInt(t), 0n);
        });
        return { got: wordsAt(outPtr, 4 * columns), expected };
      });
    }
  });

  test('mergeLanes undoes splitResidues, and what `levels` levels leave behind', () => {
    for (const levels of [0, 1, 2]) {
      againstNaive((prime, p, columns) => {
        const pieces = place(randomWords(4 * columns, Number(p)), inPtr);
        kernels.splitResidues(contextPtrs[prime]!, inPtr, 4 * columns, outPtr, columns);
        for (let at = outPtr >> 2; at < (outPtr >> 2) + 4 * columns; at++) words[at]! %= 2 * Number(p);
        kernels.mergeLanes(contextPtrs[prime]!, outPtr, 0, columns, levels, inPtr, 4 * columns);
        const got = wordsAt(inPtr, 4 * columns).map((value) => value << BigInt(levels));
        return { got, expected: pieces.map((value) => value << 32n) };
      });
    }
  });

  test('combineResidues and flushCarry, for coefficients up to the largest that fits', () => {
    const largest = transformPrimes.reduce((product, { p }) => product * BigInt(p), 1n) - 1n;
    for (let round = 0; round < 60; round++) {
      const count = 4 * (1 + Math.floor(random() * 16));
      const extreme = [0, 0.5, 1][round % 3]!;
      const coefficients = Array.from({ length: count }, () => {
        if (random() < extreme) return random() < 0.5 ? largest : BigInt(Math.floor(random() * 2));
        return (largest * BigInt(Math.floor(random() * 2 ** 52))) >> 52n;
      });
      for (const [k, { p }] of transformPrimes.entries()) {
        const residues = coefficients.map((c) => Number(c % BigInt(p)) + (random() < 0.5 ? p : 0));
        place(residues, inPtr + 4 * count * k);
      }
      words.fill(0, statePtr >> 2, (statePtr >> 2) + 16);
      kernels.combineResidues(crtPtr, inPtr, 4 * count, count, outPtr, statePtr);
      kernels.flushCarry(statePtr, constantPtr);
      const limbs = [...wordsAt(outPtr, 2 * count), ...wordsAt(constantPtr, 3)].map(Number);
      expect(limbs.every((limb) => limb < limbRadix)).toBe(true);
      const sum = coefficients.reduceRight((value, c) => value * BigInt(limbRadix) ** 2n + c, 0n);
      const got = readBigInt(instance, writeLimbs(instance, inPtr, limbs));
      expect(got === sum, `seed ${seed}, round ${round}`).toBe(true);
    }
  });
});
