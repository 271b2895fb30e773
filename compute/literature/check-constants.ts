/** Asserts every constant and bound that README.md states and the kernels rely on. Throws an `AssertionError` that names the first one that fails. */
import assert from 'node:assert/strict';
import { digitsPerLimb, limbRadix, maxLevels } from '../src/multiply/prime-constants.ts';
import { log2Order, powerMod, transformPrimes } from '../src/multiply/primes.ts';
import { maxCoefficients, maxLeafLength } from '../src/multiply/transform-shape.ts';
import { largestPrimeBelow2To64, mersenne61 } from '../src/verify/moduli.ts';

const radix = BigInt(limbRadix);

/** Miller–Rabin with the bases that decide below 3.3·10^24 (J. Sorenson, J. Webster 2015). */
export function isPrime(n: bigint): boolean {
  const bases = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n];
  if (n < 2n || bases.some((base) => n !== base && n % base === 0n)) return false;
  let odd = n - 1n;
  let twos = 0;
  for (; odd % 2n === 0n; odd /= 2n) twos++;
  return bases.every((base) => {
    if (base === n) return true;
    let power = powerMod(base, odd, n);
    if (power === 1n) return true;
    for (let step = 0; step < twos; step++, power = (power * power) % n) if (power === n - 1n) return true;
    return false;
  });
}

export function checkPrimes(): void {
  const all: number[] = [];
  for (let p = 2 ** log2Order * 59 + 1; p < limbRadix; p += 2 ** log2Order)
    if (p > limbRadix / 2 && isPrime(BigInt(p))) all.push(p);
  assert.deepEqual(
    transformPrimes.map(({ p }) => p),
    all.slice(-5),
    'the five largest primes k·2^23 + 1 below 10^9',
  );
  for (const { p, root } of transformPrimes) {
    assert.equal(
      powerMod(BigInt(root), 2n ** BigInt(log2Order - 1), BigInt(p)),
      BigInt(p) - 1n,
      `order of the root modulo ${p}`,
    );
    assert(p < 2 ** 30 && 4 * p < 2 ** 32, `[0, 4p) fits a word for ${p}`);
    for (const other of transformPrimes) assert(other.p < 2 * p, `${other.p} below twice ${p}`);
  }
  assert(isPrime(mersenne61) && isPrime(largestPrimeBelow2To64), 'the moduli of the verification');
}

export function checkTransformBounds(): void {
  const product = transformPrimes.reduce((all, { p }) => all * BigInt(p), 1n);
  const terms = BigInt(maxCoefficients / 2);
  const largest = terms * (radix * radix - 1n) ** 2n;
  assert.equal(maxCoefficients, 4 * 14 * 2 ** 20);
  assert(largest < product, 'coefficients of the longest product stay below the product of the primes');
  assert(largest < 2n ** 29n * radix ** 4n, 'and leave a fifth digit below 2^29');
  assert(terms * 18n * 2n > 10n ** 9n, 'a billion digits by one transform');
  assert.equal(maxLevels + 3, log2Order, 'the constants of the deepest level exist');
  for (const { p } of transformPrimes) {
    const accumulator = BigInt(maxLeafLength) * BigInt(p) ** 2n;
    assert(accumulator < 2n ** 64n, `accumulator of a leaf modulo ${p}`);
    assert(accumulator >> 32n < 4n * BigInt(p), `its high word modulo ${p}`);
    assert(
      4n * BigInt(p) + BigInt(p) <= 2n ** 33n && 3n * BigInt(p) < 2n ** 32n,
      `sums before the last reduction modulo ${p}`,
    );
  }
}

export function checkConversionBounds(): void {
  const digit = BigInt(Math.max(...transformPrimes.map(({ p }) => p)));
  // Largest column: a digit, four products of a digit and a word, and the quotient of the column below.
  let quotient = 0n;
  for (let column = 0; column < 4; column++) {
    const sum = digit + 4n * digit * (radix - 1n) + quotient;
    assert(sum < 2n ** 62n, `column ${column}`);
    quotient = sum / radix + 1n;
  }
  // Rounding to double, the product by 10^-9 and its own error: three relative errors of 2^-53 on less than 2^33.
  assert(3 * 2 ** 33 * 2 ** -53 < 2 ** -18, 'error of a quotient');
  assert(3 * (limbRadix / 2) * (1 + 2 ** -17) + 2 < 2 ** 31, 'three remainders and a carry in 32 bits');
  assert(limbRadix < 2 ** 30 && 10 ** digitsPerLimb === limbRadix);
}

export function checkTextBounds(): void {
  for (let x = 0; x < 10_000; x++) assert.equal((x * 10_486) >> 20, Math.floor(x / 100), `${x}/100`);
  for (let x = 0; x < 100; x++) assert.equal((x * 103) >> 10, Math.floor(x / 10), `${x}/10`);
  assert(9999 * 10_486 < 2 ** 32 && 99 * 103 < 2 ** 16, 'no step of the digits overflows into its neighbour');
  assert(256n * 2n ** 30n * 2n ** 22n <= 2n ** 60n, 'sums of limbs and weights');
  assert(10n ** 8n < 2n ** 27n, 'sums of groups of eight digits and weights are smaller still');
}
