import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InputError } from '../errors.ts';
import { maxParts, partBytesFor } from './part-size.ts';

const mebibyte = 2 ** 20;

test('small objects have parts of 8 MiB', () => {
  for (const digitCount of [0n, 1n, 5_565_709n, 80_000n * BigInt(mebibyte)]) {
    expect(partBytesFor(digitCount)).toBe(8 * mebibyte);
  }
  expect(partBytesFor(80_000n * BigInt(mebibyte) + 1n)).toBe(9 * mebibyte);
});

test('any object that S3 can hold is at most 10,000 aligned parts, and the next smaller part would be too small', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10_000n * 5n * 2n ** 30n }), (digitCount) => {
      const partBytes = partBytesFor(digitCount);
      expect(partBytes % mebibyte).toBe(0);
      expect(partBytes).toBeLessThanOrEqual(5 * 2 ** 30);
      const parts = (bytes: number): bigint => (digitCount + BigInt(bytes) - 1n) / BigInt(bytes);
      expect(parts(partBytes)).toBeLessThanOrEqual(maxParts);
      if (partBytes > 8 * mebibyte) expect(parts(partBytes - mebibyte)).toBeGreaterThan(maxParts);
    }),
  );
});

test('an object that S3 cannot hold is refused', () => {
  const largest = 10_000n * 5n * 2n ** 30n;
  expect(partBytesFor(largest)).toBe(5 * 2 ** 30);
  expect(() => partBytesFor(largest + 1n)).toThrow(InputError);
  expect(() => partBytesFor(-1n)).toThrow(InputError);
});
