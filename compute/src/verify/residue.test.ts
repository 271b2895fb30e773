import fc from 'fast-check';
import { expect, test } from 'vitest';
import { factorialNaive } from '../../test/factorial-naive.ts';
import { maxNumberDigits } from '../factorial/factorial-number.ts';
import { factorialResidue, factorialResidues } from './factorial-residue.ts';
import { factorialResiduesByKernel } from './kernel-factorial-residue.ts';
import { verificationModuli } from './moduli.ts';
import { TextResidue } from './text-residue.ts';

test('the residue of a text is that of its number, however it is cut into chunks', () => {
  const digits = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 200 });
  fc.assert(
    fc.property(digits, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }), (values, cuts) => {
      const bytes = Uint8Array.from(values, (value) => 48 + value);
      const residue = new TextResidue(verificationModuli);
      for (let offset = 0, turn = 0; offset < bytes.length; turn++) {
        const length = cuts[turn % cuts.length]!;
        residue.update(bytes.subarray(offset, offset + length));
        offset += length;
      }
      const number = BigInt(values.join('') || '0');
      expect(residue.residues()).toEqual(verificationModuli.map((modulus) => number % modulus));
      expect(residue.digitCount).toBe(BigInt(values.length));
    }),
  );
});

test('n! modulo primes is that of n! multiplied out', () => {
  fc.assert(
    fc.property(fc.nat(2000), fc.constantFrom(...verificationModuli, 2003n, 1_000_003n, 2n), (n, modulus) => {
      expect(factorialResidue(n, modulus)).toBe(factorialNaive(n) % modulus);
    }),
  );
  expect(factorialResidues(100, verificationModuli)).toEqual(
    verificationModuli.map((modulus) => factorialNaive(100) % modulus),
  );
});

test.each([0, 1, 2, 10, 4097, 1_048_575, 1_048_577, 2_500_000])(
  '%d! by kernels of 32 and 64 bits has the residues found prime by prime',
  async (n) => {
    const expected = factorialResidues(n, verificationModuli);
    expect(await factorialResiduesByKernel(n, undefined, 32)).toEqual(expected);
    expect(await factorialResiduesByKernel(n, undefined, 64)).toEqual(expected);
  },
);

test('residues of an n beyond 32 bits can be given up', async () => {
  const found = factorialResiduesByKernel(10 ** 12, AbortSignal.timeout(50));
  await expect(found).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('(p − 1)! is −1 modulo a prime p, by Wilson', () => {
  for (const prime of [2n, 3n, 101n, 65_537n, 999_983n]) {
    expect(factorialResidue(Number(prime) - 1, prime)).toBe(prime - 1n);
  }
});

test('the moduli are prime, by Miller and Rabin with the bases that decide below 2^64', () => {
  for (const modulus of verificationModuli) expect(isPrime(modulus)).toBe(true);
  expect(verificationModuli[1]).toBeGreaterThan(10n ** BigInt(maxNumberDigits));
});

function isPrime(candidate: bigint): boolean {
  const power = (base: bigint, exponent: bigint): bigint => {
    let result = 1n;
    for (let rest = exponent, square = base; rest > 0n; rest >>= 1n, square = (square * square) % candidate) {
      if (rest & 1n) result = (result * square) % candidate;
    }
    return result;
  };
  let odd = candidate - 1n;
  let twos = 0;
  for (; odd % 2n === 0n; odd /= 2n) twos++;
  return [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n].every((base) => {
    let witness = power(base, odd);
    if (witness === 1n || witness === candidate - 1n) return true;
    for (let index = 1; index < twos; index++) {
      witness = (witness * witness) % candidate;
      if (witness === candidate - 1n) return true;
    }
    return false;
  });
}
