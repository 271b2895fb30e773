import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InputError } from '../errors.ts';
import { primeSegments, primesUpTo } from './prime-sieve.ts';

function primesNaive(low: number, high: number): number[] {
  const primes: number[] = [];
  for (let candidate = Math.max(2, low); candidate <= high; candidate++) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate && prime; divisor++) prime = candidate % divisor !== 0;
    if (prime) primes.push(candidate);
  }
  return primes;
}

function sieve(low: number, high: number, segmentBytes?: number): number[] {
  const options = segmentBytes === undefined ? {} : { segmentBytes };
  return [...primeSegments(low, high, options)].flatMap((segment) => [...segment]);
}

test('any range in segments of any size holds the primes that trial division finds', () => {
  fc.assert(
    fc.property(fc.nat(3000), fc.nat(600), fc.integer({ min: 1, max: 300 }), (low, length, segmentBytes) => {
      expect(sieve(low, low + length, segmentBytes)).toEqual(primesNaive(low, low + length));
    }),
  );
});

test('every small range is right, the empty ones too', () => {
  for (let low = 0; low <= 12; low++) {
    for (let high = 0; high <= 12; high++) expect(sieve(low, high)).toEqual(primesNaive(low, high));
  }
});

test('the number of primes up to 10^6 and 10^7 is the known one', () => {
  expect(primesUpTo(10 ** 6).length).toBe(78_498);
  let count = 0;
  for (const segment of primeSegments(0, 10 ** 7)) count += segment.length;
  expect(count).toBe(664_579);
});

test('ranges beyond 2^32 are exact', () => {
  const low = 10 ** 12;
  expect(sieve(low, low + 200)).toEqual(primesNaive(low, low + 200));
  expect(sieve(2 ** 32 - 5, 2 ** 32 + 61)).toEqual([4_294_967_291, 4_294_967_311, 4_294_967_357]);
});

test('a segment never holds more primes than its bytes and one', () => {
  for (const segment of primeSegments(0, 10_000, { segmentBytes: 64 })) expect(segment.length).toBeLessThanOrEqual(65);
});

test('limits and segment sizes outside the range are refused', () => {
  for (const [low, high] of [
    [-1, 10],
    [0.5, 10],
    [0, 2 ** 53],
    [0, Number.NaN],
  ] as const) {
    expect(() => sieve(low, high)).toThrow(InputError);
  }
  for (const segmentBytes of [0, -1, 1.5, 2 ** 31]) expect(() => sieve(0, 10, segmentBytes)).toThrow(InputError);
});
