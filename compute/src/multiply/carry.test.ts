import { expect, test } from 'vitest';
import { seededRandom } from '../../test/decimal/random.ts';
import { makeTestMemory } from '../../test/decimal/test-memory.ts';
import { limbRadix, maxShorterCoefficients } from './prime-constants.ts';
import { transformPrimes } from './primes.ts';
import { assertProductBound } from './product-bound.ts';
import { ResidueProduct } from './residue.ts';
import { carryRecordBytes } from './workspace.ts';

const { instance, worker, area, take } = makeTestMemory(64, 2);
const { kernels, words } = instance;
const [limbsPtr, recordsPtr] = [take(1 << 16), take(1 << 14)];

/** Blocks of a number that were combined apart: limbs, and what each carries out. */
interface Blocks {
  readonly limbs: readonly (readonly number[])[];
  readonly carries: readonly (readonly number[])[];
}

function numberOf(limbs: readonly number[]): bigint {
  return limbs.reduceRight((value, limb) => value * BigInt(limbRadix) + BigInt(limb), 0n);
}

/** The sum of all blocks and carries at their places: the naive sibling. */
function sumNaive({ limbs, carries }: Blocks): bigint {
  let [sum, place] = [0n, 1n];
  for (const [index, block] of limbs.entries()) {
    sum += numberOf(block) * place;
    place *= BigInt(limbRadix) ** BigInt(block.length);
    sum += numberOf(carries[index]!) * place;
  }
  return sum;
}

/** The same by the kernels, blocks taken in the order given; what leaves the last block is its highest part. */
function sumByRecords({ limbs, carries }: Blocks, order: readonly number[]): bigint {
  words.set(limbs.flat(), limbsPtr >> 2);
  const starts = limbs.map((_, index) => limbs.slice(0, index).flat().length);
  const last = limbs.length - 1;
  for (const [index, block] of limbs.entries()) {
    const recordPtr = recordsPtr + carryRecordBytes * index;
    words.set(carries[index]!, recordPtr >> 2);
    kernels.recordBlock(limbsPtr + 4 * starts[index]!, block.length, recordPtr);
  }
  let beyond = 0;
  for (const index of order) {
    const more = kernels.addCarryIn(recordsPtr, index, limbsPtr + 4 * starts[index]!, limbs[index]!.length);
    if (index === last) beyond = more;
  }
  const count = limbs.flat().length;
  const total = Array.from(words.subarray(limbsPtr >> 2, (limbsPtr >> 2) + count));
  const top = numberOf(carries[last]!) + BigInt(beyond);
  return numberOf(total) + top * BigInt(limbRadix) ** BigInt(count);
}

test('carries between blocks agree with plain addition for runs of nines and zeros at every border, in any order of blocks', () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const extremes = [limbRadix - 1, limbRadix - 1, limbRadix - 1, 0, 1];
  const limb = (extreme: number) =>
    random() < extreme ? extremes[Math.floor(random() * extremes.length)]! : Math.floor(random() * limbRadix);
  for (let round = 0; round < 2000; round++) {
    const extreme = [0, 0.9, 1][round % 3]!;
    const count = 1 + Math.floor(random() * 9);
    const limbs = Array.from({ length: count }, () => {
      const length = 3 + Math.floor(random() * 6);
      const nines = random() < 0.5;
      return Array.from({ length }, () => (nines ? limbRadix - 1 : limb(extreme)));
    });
    const carries = limbs.map(() => [limb(extreme), limb(extreme), Math.floor(random() * 2)]);
    const order = limbs.map((_, index) => index).sort(() => random() - 0.5);
    const blocks = { limbs, carries };
    expect(sumByRecords(blocks, order), `seed ${seed}, round ${round}: ${JSON.stringify(blocks)}`).toBe(
      sumNaive(blocks),
    );
  }
});

test('one unit runs through a hundred blocks of nines, and none through a hundred with one nine less', () => {
  for (const top of [limbRadix - 1, limbRadix - 2]) {
    const block = [...new Array<number>(7).fill(limbRadix - 1), top];
    const limbs = new Array<number[]>(100).fill(block);
    const carries = limbs.map((_, index) => (index === 0 ? [1, 0, 0] : [0, 0, 0]));
    const order = limbs.map((_, index) => index);
    expect(sumByRecords({ limbs, carries }, order.toReversed())).toBe(sumNaive({ limbs, carries }));
  }
});

test('a product whose coefficients could exceed the product of the primes is refused, and the bound is exact', () => {
  const product = transformPrimes.reduce((all, { p }) => all * BigInt(p), 1n);
  const largest = (BigInt(limbRadix) ** 2n - 1n) ** 2n;
  expect(BigInt(maxShorterCoefficients) * largest < product).toBe(true);
  expect(BigInt(maxShorterCoefficients + 1) * largest < product).toBe(false);
  expect(() => assertProductBound(2 * maxShorterCoefficients, 10 ** 10)).not.toThrow();
  expect(() => assertProductBound(10 ** 10, 2 * maxShorterCoefficients + 1)).toThrow(/expected at most 38\d{7} coeff/);
  const long = { ptr: limbsPtr, limbCount: 2 * maxShorterCoefficients + 1 };
  expect(() => new ResidueProduct(worker, area, long, long, limbsPtr, 1)).toThrow(/in the shorter operand/);
});
