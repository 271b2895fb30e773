import { expect, test } from 'vitest';
import { fieldLimits } from './product-limits.ts';
import { priceProduct } from './product-price.ts';

/** Price of a square of so many limbs. */
function squareOf(limbs: number, regionBytes: number) {
  const length = Math.round(limbs);
  return priceProduct(length, length, true, { regionBytes, threads: 2, limits: fieldLimits })!;
}

test.each([2 ** 25, 2 ** 27, 2 ** 29])(
  'in regions of %d bytes no length costs a fifth more than one a hundredth shorter',
  (regionBytes) => {
    let last = squareOf(1e6, regionBytes);
    for (let limbs = 1.01e6; limbs < 6.4e8; limbs *= 1.01) {
      const price = squareOf(limbs, regionBytes);
      expect(price.cost / last.cost, `${Math.round(limbs)} limbs`).toBeLessThan(1.2);
      expect(price.peakBytes / last.peakBytes, `${Math.round(limbs)} limbs`).toBeLessThan(1.2);
      last = price;
    }
  },
);

test('beyond the reach of the primes a product costs as Karatsuba has it: three halves', () => {
  for (const limbs of [2e9, 1e10, 1e12]) {
    const [whole, half] = [squareOf(limbs, 2 ** 29), squareOf(limbs / 2, 2 ** 29)];
    expect(whole.cost / half.cost).toBeGreaterThan(2.9);
    expect(whole.cost / half.cost).toBeLessThan(3.3);
    expect(whole.readBytes).toBeGreaterThan(3 * half.readBytes);
    expect(whole.peakBytes).toBeGreaterThan(2 * half.peakBytes * 0.8);
  }
});

test('a product that fits no region has no price', () => {
  expect(priceProduct(1e8, 1e8, true, { regionBytes: 2 ** 16, threads: 1, limits: fieldLimits })).toBeUndefined();
});
