import { expect, test } from 'vitest';
import { seededRandom } from '../../../../test/decimal/random.ts';
import { powerMod, transformPrimes } from '../../../multiply/primes.ts';
import { maxCoefficients, transformShape } from '../../../multiply/transform-shape.ts';
import { interpolationRows, maxParts, partConstant, primitiveRoot } from './fold-field.ts';
import { foldShapeWithParts } from './fold-shape.ts';
import { fieldLimits } from './product-limits.ts';

const primes = transformPrimes.map(({ p }, index) => ({ p, index }));

function constants(primeIndex: number, parts: number, points: number): bigint[] {
  return Array.from({ length: parts }, (_, part) => partConstant(primeIndex, part, points));
}

test('the generators have the order p − 1 and no less', () => {
  for (const { p, index } of primes) {
    const order = BigInt(p) - 1n;
    const root = primitiveRoot(index);
    for (let factor = 2n, rest = order; rest > 1n; factor++) {
      if (rest % factor !== 0n) continue;
      while (rest % factor === 0n) rest /= factor;
      expect(powerMod(root, order / factor, BigInt(p)), `${p}: ${factor}`).not.toBe(1n);
    }
  }
});

test('parts of 7·2^22 points reach p − 1 coefficients for the smallest prime, far beyond its 2-adicity, and not one part more', () => {
  const points = 7 * 2 ** 22;
  const parts = fieldLimits.mostCoefficients / points;
  expect(parts).toBe(22);
  expect(maxParts(points)).toBe(parts);
  expect(transformShape(points).coefficients).toBe(points);
  expect(foldShapeWithParts(parts * points, parts, true, 2 ** 32)?.points).toBe(points);
  expect(new Set(constants(0, parts, points)).size).toBe(parts);
  expect(partConstant(0, parts, points)).toBe(partConstant(0, 0, points));
  expect(foldShapeWithParts((parts + 1) * points, parts + 1, true, 2 ** 32)).toBeUndefined();
});

test('at the longest products the parts of every shape have different roots, and their residues give the coefficients back', () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  let most = 0;
  for (let round = 0; round < 60; round++) {
    // From the longest product there is down to a hundredth of it, in as few parts as one transform allows or more.
    const coefficients = 4 * Math.floor((fieldLimits.mostCoefficients / 4) * 100 ** -random());
    const parts = Math.ceil(coefficients / maxCoefficients) + Math.floor(20 * random());
    const shape = foldShapeWithParts(coefficients, parts, true, 2 ** 32);
    if (shape === undefined) continue;
    most = Math.max(most, parts * shape.points);
    for (const { p, index } of primes) {
      const label = `seed ${seed}: ${parts} parts of ${shape.points} points modulo ${p}`;
      const modulus = BigInt(p);
      const nodes = constants(index, parts, shape.points);
      expect(new Set(nodes).size, label).toBe(parts);
      // One column: coefficients C_t of x^(t·points), its residues modulo x^points − z_j, and back.
      const column = nodes.map(() => BigInt(Math.floor(p * random())));
      const residues = nodes.map((z) => column.reduceRight((sum, c) => (sum * z + c) % modulus, 0n));
      const rows = interpolationRows(index, parts, shape.points);
      const found = rows.map((row) => row.reduce((sum, w, part) => (sum + w * residues[part]!) % modulus, 0n));
      expect(found, label).toEqual(column);
    }
  }
  expect(most, `seed ${seed}`).toBeGreaterThan(4 * 2 ** 25);
});
