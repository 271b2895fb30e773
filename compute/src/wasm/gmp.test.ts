import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limbsOf, numberOf } from '../../test/limbs.ts';
import { KernelError } from '../errors.ts';
import { type LimbBytes, loadGmp } from './gmp.ts';

const gmp = await loadGmp();
const natural = fc.bigInt({ min: 0n, max: 2n ** 3000n });

function taking(ptr: number): bigint {
  const limbs: LimbBytes = gmp.store(ptr);
  gmp.release(ptr);
  return numberOf(limbs);
}

test('numbers go in and out unchanged, zero and whole limbs too', () => {
  for (const value of [0n, 1n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 128n - 1n]) {
    expect(taking(gmp.load(limbsOf(value)))).toBe(value);
  }
  fc.assert(
    fc.property(natural, (value) => {
      expect(taking(gmp.load(limbsOf(value)))).toBe(value);
    }),
  );
});

test('products, in place too, and quotients with remainders are those of BigInt', () => {
  fc.assert(
    fc.property(natural, natural, fc.nat(2 ** 32 - 1), (a, b, small) => {
      const [x, y] = [gmp.load(limbsOf(a)), gmp.load(limbsOf(b + 1n))];
      const [quotient, remainder] = [gmp.allocate(), gmp.allocate()];
      gmp.divide(quotient, remainder, x, y);
      expect([taking(quotient), taking(remainder)]).toEqual([a / (b + 1n), a % (b + 1n)]);
      gmp.multiply(x, x, y);
      gmp.multiplySmallInPlace(x, small);
      expect(taking(x)).toBe(a * (b + 1n) * BigInt(small));
      gmp.multiply(y, y, y);
      expect(taking(y)).toBe((b + 1n) ** 2n);
    }),
  );
});

test('a number is written right-aligned with zeros before it', () => {
  fc.assert(
    fc.property(natural, fc.nat(50), (value, padding) => {
      const digits = value.toString();
      const text = new Uint8Array(digits.length + padding).fill(1);
      const ptr = gmp.load(limbsOf(value));
      gmp.writeDecimal(ptr, text);
      gmp.release(ptr);
      expect(Buffer.from(text).toString()).toBe(digits.padStart(text.length, '0'));
    }),
  );
});

test('a number with more digits than the text has room for is refused', () => {
  const ptr = gmp.load(limbsOf(1000n));
  expect(() => gmp.writeDecimal(ptr, new Uint8Array(3))).toThrow(KernelError);
  gmp.release(ptr);
});

test('views stay right when the memory grows between calls', () => {
  const value = 2n ** 240_000_000n - 1n;
  const before = gmp.memoryBytes;
  const ptr = gmp.load(limbsOf(2n ** 64n - 1n));
  const large = gmp.load(allOnes(30_000_000));
  expect(gmp.memoryBytes).toBeGreaterThan(before);
  expect(taking(ptr)).toBe(2n ** 64n - 1n);
  expect(valueEquals(gmp.store(large), value)).toBe(true);
  gmp.release(large);
});

function allOnes(byteLength: number): LimbBytes {
  const limbs = new SharedArrayBuffer(byteLength);
  new Uint8Array(limbs).fill(255);
  return limbs;
}

function valueEquals(limbs: LimbBytes, value: bigint): boolean {
  return BigInt(`0x${Buffer.from(new Uint8Array(limbs)).reverse().toString('hex')}`) === value;
}
