import { describe, expect, test } from 'vitest';
import { planePrimes } from '../../src/factorial/exponent-planes.ts';
import { significantExponent } from '../../src/factorial/exponents.ts';
import { primesUpTo } from '../../src/factorial/prime-sieve.ts';
import { readBigInt, writeLimbs } from '../../src/limbs/decimal-number.ts';
import { verificationModuli } from '../../src/verify/moduli.ts';
import { makeLimbs, pickPattern, seededRandom } from './random.ts';
import { makeTestMemory } from './test-memory.ts';

const { instance, take } = makeTestMemory(64, 2);
const { kernels, words, bytes, longs } = instance;
const [tablePtr, textTablePtr, accPtr] = [take(8192), take(8192), take(64)];
const [limbsPtr, textPtr] = [take(1 << 20), take(1 << 20)];
kernels.fillResidueTable(tablePtr);
kernels.fillTextResidueTable(textTablePtr);

function setResidues(values: readonly bigint[]): void {
  longs.set(BigUint64Array.from(values), accPtr >> 3);
}

function residues(): bigint[] {
  return Array.from(longs.subarray(accPtr >> 3, (accPtr >> 3) + 2));
}

describe('factors', () => {
  test('packed into words they are n! / 10^z, whatever n', () => {
    let product = 1n;
    for (let n = 0; n <= 700; n++) {
      if (n > 1) product *= BigInt(n);
      while (product % 10n === 0n) product /= 10n;
      const count = kernels.packFactors(n, limbsPtr);
      const packed = words.subarray(limbsPtr >> 2, (limbsPtr >> 2) + count);
      expect(packed.every((word) => word >= 1 && word < 1_000_000_000)).toBe(true);
      expect(packed.reduce((all, word) => all * BigInt(word), 1n)).toBe(product);
    }
  });
});

describe('residues', () => {
  test('of limbs appended to a residue agree with BigInt for random and extreme limbs', () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    for (const count of [1, 2, 255, 256, 257, 512, 1000, 3333]) {
      const number = writeLimbs(instance, limbsPtr, makeLimbs(random, count, pickPattern(random)));
      const before = [123_456_789n, 2n ** 64n - 60n];
      setResidues(before);
      kernels.appendLimbResidues(tablePtr, limbsPtr, count, accPtr);
      const value = readBigInt(instance, number);
      const shift = 10n ** BigInt(9 * count);
      const expected = verificationModuli.map((modulus, index) => (before[index]! * shift + value) % modulus);
      expect(residues(), `seed ${seed}, ${count} limbs`).toEqual(expected);
    }
  });

  test('of prime powers agree with BigInt, neighbours with one exponent or many', () => {
    const pairs = [3, 1_000_000, 7, 40, 11, 40, 13, 40, 999_999_937, 3, 2_147_483_647, 1];
    words.set(pairs, limbsPtr >> 2);
    setResidues([1n, 1n]);
    kernels.multiplyPowerResidues(limbsPtr, pairs.length / 2, accPtr);
    const power = (modulus: bigint, base: bigint, exponent: number): bigint => {
      let result = 1n;
      for (let step = 0; step < exponent; step++) result = (result * base) % modulus;
      return result;
    };
    const expected = verificationModuli.map((modulus) => {
      let product = 1n;
      for (let at = 0; at < pairs.length; at += 2)
        product = (product * power(modulus, BigInt(pairs[at]!), pairs[at + 1]!)) % modulus;
      return product;
    });
    expect(residues()).toEqual(expected);
    setResidues(verificationModuli.map((modulus) => modulus - 1n));
    kernels.multiplyResidues(accPtr, accPtr);
    expect(residues()).toEqual([1n, 1n]);
  });
});

describe('text', () => {
  test('of limbs is their digits, and parses back, for every power of ten and random limbs', () => {
    const random = seededRandom(4);
    const limbs = [0, 1, 9, 10, 99, 999_999_999, 100_000_000, 99_999_999, 12_345_678];
    for (let digits = 0; digits < 9; digits++) limbs.push(10 ** digits, 10 ** digits - 1, 9 * 10 ** digits);
    for (let count = 0; count < 3000; count++) limbs.push(Math.floor(random() * 1e9));
    writeLimbs(instance, limbsPtr, limbs);
    kernels.limbsToText(limbsPtr, limbs.length, textPtr);
    const expected = limbs
      .toReversed()
      .map((limb) => String(limb).padStart(9, '0'))
      .join('');
    expect(Buffer.from(bytes.slice(textPtr, textPtr + 9 * limbs.length)).toString('latin1')).toBe(expected);
    words.fill(7, limbsPtr >> 2, (limbsPtr >> 2) + limbs.length);
    expect(kernels.textToLimbs(textPtr, 9 * limbs.length, limbsPtr)).toBe(1);
    expect(Array.from(words.subarray(limbsPtr >> 2, (limbsPtr >> 2) + limbs.length))).toEqual(limbs);
  });

  test('of few limbs touches no byte beside its own', () => {
    for (let count = 1; count <= 13; count++) {
      const limbs = Array.from({ length: count }, (_, index) => 987_654_321 - 100_000_007 * (index % 9));
      writeLimbs(instance, limbsPtr, limbs);
      bytes.fill(7, textPtr - 32, textPtr + 9 * count + 32);
      kernels.limbsToText(limbsPtr, count, textPtr);
      const text = limbs.toReversed().map((limb) => String(limb).padStart(9, '0'));
      const written = Buffer.from(bytes.slice(textPtr - 32, textPtr + 9 * count + 32)).toString('latin1');
      const around = '\x07'.repeat(32);
      expect(written, `${count} limbs`).toBe(`${around}${text.join('')}${around}`);
      for (let digits = 9 * count; digits > 9 * count - 9; digits--) {
        const parsed = text.join('').slice(9 * count - digits);
        words.fill(7, limbsPtr >> 2, (limbsPtr >> 2) + count + 1);
        expect(kernels.textToLimbs(textPtr + 9 * count - digits, digits, limbsPtr)).toBe(1);
        const found = Array.from(words.subarray(limbsPtr >> 2, (limbsPtr >> 2) + count + 1));
        expect(found).toEqual([...limbs.slice(0, -1), Number(parsed.slice(0, digits - 9 * (count - 1))), 7]);
      }
    }
  });

  test('appended to a residue agrees with BigInt for any length, random digits and all nines', () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    for (const length of [0, 1, 7, 8, 9, 2047, 2048, 2049, 2056, 4096, 6151, Math.floor(random() * 20_000)]) {
      for (const digit of [() => 9, () => 0, () => Math.floor(random() * 10)]) {
        const text = Uint8Array.from({ length }, () => 48 + digit());
        bytes.set(text, textPtr);
        const before = [2n ** 61n - 2n, 2n ** 64n - 60n];
        setResidues(before);
        expect(kernels.appendTextResidues(textTablePtr, textPtr, length, accPtr)).toBe(1);
        const value = BigInt(`0${Buffer.from(text).toString('latin1')}`);
        const shift = 10n ** BigInt(length);
        const expected = verificationModuli.map((modulus, index) => (before[index]! * shift + value) % modulus);
        expect(residues(), `seed ${seed}, ${length} digits`).toEqual(expected);
      }
    }
  });

  test('read for its residues is refused with any byte but digits, and other residues with any digit changed, wherever it stands', () => {
    const length = 2048 + 8 + 3;
    const read = (): number => {
      setResidues([0n, 0n]);
      return kernels.appendTextResidues(textTablePtr, textPtr, length, accPtr);
    };
    bytes.fill(53, textPtr, textPtr + length);
    expect(read()).toBe(1);
    const right = residues();
    for (let position = 0; position < length; position++) {
      for (const strange of [0, 47, 58, 0x20, 0xb0, 0xff]) {
        bytes[textPtr + position] = strange;
        expect(read(), `byte ${strange} at ${position}`).toBe(0);
      }
      bytes[textPtr + position] = 52;
      expect(read()).toBe(1);
      expect(residues(), `digit at ${position}`).not.toEqual(right);
      bytes[textPtr + position] = 53;
    }
  });

  test('with any byte but digits is refused wherever it stands', () => {
    for (let position = 0; position < 93; position++) {
      for (const strange of [0, 47, 58, 0x20, 0xb0, 0xff]) {
        bytes.fill(53, textPtr, textPtr + 93);
        expect(kernels.textToLimbs(textPtr, 93, limbsPtr)).toBe(1);
        bytes[textPtr + position] = strange;
        expect(kernels.textToLimbs(textPtr, 93, limbsPtr), `byte ${strange} at ${position}`).toBe(0);
      }
    }
  });
});

describe('prime powers', () => {
  test.each([
    [2, 2],
    [3, 4],
    [100, 32],
    [9973, 4096],
    [200_000, 65_536],
    [200_000, 262_144],
  ])('up to %i in segments of %i agree with the sieve, the exponents and the planes', (n, span) => {
    const [basePtr, sievePtr, pairsPtr, planePtr] = [take(4096), take(1 << 15), take(1 << 18), take(1 << 17)];
    const base = primesUpTo(Math.floor(Math.sqrt(n))).subarray(1);
    words.set(base, basePtr >> 2);
    const found: [number, number][] = [];
    const planes: number[][] = [[], [], []];
    for (let low = 0; low <= n; low += span) {
      const high = Math.min(n, low + span - 1);
      const count = kernels.listPrimePowers(basePtr, base.length, low, high, n, 0, sievePtr, pairsPtr);
      for (let index = 0; index < count; index++) {
        found.push([words[(pairsPtr >> 2) + 2 * index]!, words[(pairsPtr >> 2) + 2 * index + 1]!]);
      }
      for (const [plane, primes] of planes.entries()) {
        const selected = kernels.selectPlane(pairsPtr, count, plane, planePtr);
        primes.push(...words.subarray(planePtr >> 2, (planePtr >> 2) + selected));
      }
    }
    const expected = Array.from(primesUpTo(n), (prime) => [prime, significantExponent(n, prime)]);
    expect(found).toEqual(expected.filter(([, exponent]) => exponent! > 0));
    for (const [plane, primes] of planes.entries()) {
      expect(primes).toEqual([...planePrimes(n, plane)].flatMap((segment) => Array.from(segment)));
    }
  });
});
