import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { factorialNaive } from '../../test/factorial-naive.ts';
import { InputError } from '../errors.ts';
import { bernoulliNumbers, digitCountOfFactorial, leadingDigits, lnFactorial } from './digit-count.ts';
import { ln2, ln10, pi } from './fixed-point.ts';

interface Golden {
  readonly digits: number;
  readonly head?: string;
}
const goldenText = readFileSync(new URL('../../test/golden/factorials.json', import.meta.url), 'utf8');
const golden = Object.entries((JSON.parse(goldenText) as { factorials: Record<string, Golden> }).factorials);

test('every golden vector has its digit count and leading digits', () => {
  for (const [n, { digits, head }] of golden) {
    expect(digitCountOfFactorial(BigInt(n))).toBe(BigInt(digits));
    if (head !== undefined) expect(leadingDigits(BigInt(n))).toBe(head);
  }
});

test('huge factorials have their known digit counts, where the popular approximation is one short', () => {
  expect(digitCountOfFactorial(10n ** 9n)).toBe(8_565_705_523n);
  expect(digitCountOfFactorial(10n ** 10n)).toBe(95_657_055_187n);
  expect(digitCountOfFactorial(6_561_101_970_383n)).toBe(81_244_041_273_654n);
});

test('digit count and leading digits agree with n! multiplied out, around the switch to the series and at random', () => {
  const check = (n: number): void => {
    const text = factorialNaive(n).toString();
    expect(digitCountOfFactorial(BigInt(n))).toBe(BigInt(text.length));
    for (const count of [1, 7, 20]) expect(leadingDigits(BigInt(n), count)).toBe(text.slice(0, count));
  };
  for (const n of [0, 1, 3, 199, 200, 201, 202, 999, 1000, 1001]) check(n);
  fc.assert(fc.property(fc.integer({ min: 201, max: 4000 }), check), { numRuns: 40 });
});

test('the count grows by the digits of n: n! = n·(n−1)! for huge n', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 10n ** 6n, max: 10n ** 19n }), (n) => {
      const step = digitCountOfFactorial(n) - digitCountOfFactorial(n - 1n);
      const nDigits = BigInt(n.toString().length);
      expect(step === nDigits || step === nDigits - 1n).toBe(true);
    }),
    { numRuns: 50 },
  );
});

/** 60 digits of each constant, from published tables. */
const constants = [
  { name: 'ln 2', compute: ln2, digits: '693147180559945309417232121458176568075500134360255254120680' },
  { name: 'ln 10', compute: ln10, digits: '2302585092994045684017991454684364207601101488628772976033327' },
  { name: 'pi', compute: pi, digits: '3141592653589793238462643383279502884197169399375105820974944' },
];

test.each(constants)('$name lies in its interval, which is narrow, at every precision', ({ compute, digits }) => {
  const places = 60n;
  for (const bits of [64, 110, 180]) {
    const { low, high } = compute(bits);
    // Compare x/2^bits with digits/10^60 by cross-multiplication.
    expect(low * 10n ** places <= (BigInt(digits) + 1n) << BigInt(bits)).toBe(true);
    expect(high * 10n ** places >= BigInt(digits) << BigInt(bits)).toBe(true);
    expect(high - low).toBeLessThan(20_000n);
  }
});

test('ln n! at low precision is an interval around ln n! at high precision', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 201n, max: 10n ** 19n }), (n) => {
      const coarse = lnFactorial(n, 150);
      const fine = lnFactorial(n, 400);
      expect(coarse.low << 250n <= fine.low && fine.high <= coarse.high << 250n).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('the Bernoulli numbers are those of the tables', () => {
  const expected = [
    [1n, 6n],
    [-1n, 30n],
    [1n, 42n],
    [-1n, 30n],
    [5n, 66n],
    [-691n, 2730n],
    [7n, 6n],
  ] as const;
  const computed = bernoulliNumbers();
  for (const [numerator, denominator] of expected) {
    const next = computed.next().value;
    expect(next.numerator * denominator).toBe(next.denominator * numerator);
  }
});

test('a count of leading digits outside 1 to 20 is refused', () => {
  for (const count of [0, 21, 1.5, Number.NaN]) expect(() => leadingDigits(5n, count)).toThrow(InputError);
});
