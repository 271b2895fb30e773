import { expect, test } from 'vitest';
import { seededRandom } from '../test/decimal/random.ts';
import { factorialNaive } from '../test/factorial-naive.ts';
import { shortProductLimit } from './engine/decimal/short-product.ts';
import { InputError } from './errors.ts';
import { computeTinyFactorial, tinyFactorialLimit } from './tiny-factorial.ts';

const textOf = (digits: Uint8Array) => new TextDecoder().decode(digits);

test('every n up to 300 is n! multiplied out', () => {
  let product = 1n;
  for (let n = 0; n <= 300; n++) {
    if (n > 0) product *= BigInt(n);
    expect(textOf(computeTinyFactorial(n))).toBe(product.toString());
  }
});

test('random n, and those around the switch from words to planes, are n! multiplied out, in any order', () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const around = [-1, 0, 1, 2].map((step) => shortProductLimit + step);
  const numbers = [...around, 4_999, 5_001, ...Array.from({ length: 60 }, () => Math.floor(random() ** 2 * 6_000))];
  const results = numbers.map((n) => ({ n, digits: computeTinyFactorial(n) }));
  // Read only now: no result lies in memory that the next one used.
  for (const { n, digits } of results) {
    expect(textOf(digits) === factorialNaive(n).toString(), `seed ${seed}: ${n}!`).toBe(true);
  }
});

test('the largest is right, and beyond it n is refused', () => {
  const largest = Number(tinyFactorialLimit);
  expect(textOf(computeTinyFactorial(largest)) === factorialNaive(largest).toString()).toBe(true);
  for (const n of [tinyFactorialLimit + 1n, -1, 1.5, '007', undefined]) {
    expect(() => computeTinyFactorial(n)).toThrow(InputError);
  }
});

test('the digits are the caller’s: writing into them changes no other result', () => {
  const first = computeTinyFactorial(500);
  const expected = textOf(first);
  first.fill(0);
  expect(textOf(computeTinyFactorial(500))).toBe(expected);
});
