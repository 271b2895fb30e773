import fc from 'fast-check';
import { expect, test } from 'vitest';
import { factorialNaive } from '../../test/factorial-naive.ts';
import { planeCount, planeLimit, planePrimes } from './exponent-planes.ts';
import { legendreExponent, significantExponent, trailingZeroCount } from './exponents.ts';

function productOfPlanes(n: number, segmentBytes: number): bigint {
  let result = 1n;
  for (let plane = planeCount(n) - 1; plane >= 0; plane--) {
    result *= result;
    for (const segment of planePrimes(n, plane, { segmentBytes })) {
      for (const prime of segment) result *= BigInt(prime);
    }
  }
  return result;
}

test('the planes multiply to n! without its trailing zeros', () => {
  fc.assert(
    fc.property(fc.nat(1500), fc.integer({ min: 1, max: 100 }), (n, segmentBytes) => {
      const significant = factorialNaive(n) / 10n ** trailingZeroCount(BigInt(n));
      expect(productOfPlanes(n, segmentBytes)).toBe(significant);
    }),
  );
});

test('the planes are right for every n up to 64', () => {
  for (let n = 0; n <= 64; n++) {
    expect(productOfPlanes(n, 8)).toBe(factorialNaive(n) / 10n ** trailingZeroCount(BigInt(n)));
  }
});

test('no plane has primes beyond its limit, and the top plane has one', () => {
  for (const n of [2, 3, 10, 100, 5000]) {
    const all = [...planePrimes(n, 0)].flatMap((segment) => [...segment]);
    expect(Math.max(0, ...all)).toBeLessThanOrEqual(planeLimit(n, 0));
    const top = [...planePrimes(n, planeCount(n) - 1)].flatMap((segment) => [...segment]);
    expect(top.length).toBeGreaterThan(0);
  }
});

test('exponents are those counted factor by factor', () => {
  for (const [n, prime] of [
    [100, 2],
    [100, 5],
    [1000, 7],
    [48, 7],
    [49, 7],
  ] as const) {
    let counted = 0;
    for (let factor = 1; factor <= n; factor++) for (let rest = factor; rest % prime === 0; rest /= prime) counted++;
    expect(legendreExponent(n, prime)).toBe(counted);
  }
  expect(significantExponent(100, 5)).toBe(0);
  expect(significantExponent(100, 2)).toBe(97 - 24);
});

test('trailing zeros are exact for numbers beyond any double', () => {
  expect(trailingZeroCount(10n ** 9n)).toBe(249_999_998n);
  expect(trailingZeroCount(4n)).toBe(0n);
  let expected = 0n;
  for (let power = 5n; power <= 10n ** 19n; power *= 5n) expected += 10n ** 19n / power;
  expect(trailingZeroCount(10n ** 19n)).toBe(expected);
});
