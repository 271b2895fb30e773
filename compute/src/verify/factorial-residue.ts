import { InputError } from '../errors.ts';
import { legendreExponent } from '../factorial/exponents.ts';
import { primeSegments } from '../factorial/prime-sieve.ts';

/**
 * n! modulo each of the moduli, from the primes up to n alone and by another way than the product: every prime to its own power,
 * ∏ p^e_p, trailing zeros and all.
 *
 * Primes that share an exponent (most do: e_p = ⌊n/p⌋ beyond √n) are multiplied before the power is taken.
 * Restrictions: 0 ≤ n < 2^53. Cost: about 150 ns per prime.
 */
export function factorialResidues(n: number, moduli: readonly bigint[]): bigint[] {
  if (!Number.isSafeInteger(n) || n < 0) throw new InputError('an integer n from 0 to 2^53 - 1', `${n}`);
  const modulus = moduli.reduce((product, next) => product * next, 1n);
  let residue = 1n % modulus;
  let base = 1n;
  let packed = 1;
  let exponent = 0;
  const finishBase = (): void => {
    residue = (residue * powerMod((base * BigInt(packed)) % modulus, BigInt(exponent), modulus)) % modulus;
    base = 1n;
    packed = 1;
  };
  for (const primes of primeSegments(0, n)) {
    for (const prime of primes) {
      const nextExponent = legendreExponent(n, prime);
      if (nextExponent !== exponent) {
        finishBase();
        exponent = nextExponent;
      }
      // Several small primes make one exact double before the big arithmetic sees them.
      if (packed * prime > Number.MAX_SAFE_INTEGER) {
        base = (base * BigInt(packed)) % modulus;
        packed = 1;
      }
      packed *= prime;
    }
  }
  finishBase();
  return moduli.map((each) => residue % each);
}

/** n! modulo one prime; see `factorialResidues`. */
export function factorialResidue(n: number, modulus: bigint): bigint {
  return factorialResidues(n, [modulus])[0]!;
}

/** base^exponent modulo modulus, by squaring. */
function powerMod(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n % modulus;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}
