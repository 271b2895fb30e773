/** Asserts what the kernels (assembly/) and the products in a store rely on beyond check-constants.ts, the constants in the kernels' sources among it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { largestOneLimbNumber } from '../src/engine/decimal/external/alone-state.ts';
import { primitiveRoot } from '../src/engine/decimal/external/fold-field.ts';
import { fieldLimits } from '../src/engine/decimal/external/product-limits.ts';
import { limbRadix } from '../src/multiply/prime-constants.ts';
import { log2Order, powerMod, transformPrimes } from '../src/multiply/primes.ts';
import { definedResidueLimit } from '../src/verify/defined-residue.ts';
import { largestPrimeBelow2To64, mersenne61 } from '../src/verify/moduli.ts';
import { isPrime } from './check-constants.ts';

const radix = BigInt(limbRadix);
const sources = new URL('../assembly/', import.meta.url);

/** Text of every kernel source, by its file name. */
function readKernels(): ReadonlyMap<string, string> {
  const names = readdirSync(sources).filter((name) => name.endsWith('.ts'));
  return new Map(names.map((name) => [name, readFileSync(new URL(name, sources), 'utf8')]));
}

/** The expression that `const name: type = expression;` has in a source. */
function constantOf(source: string, name: string): string | undefined {
  return new RegExp(`^const ${name}: \\w+ = ([^;]+);`, 'm').exec(source)?.[1];
}

/** Every kernel means the radix and the moduli that the host means. */
export function checkKernelConstants(): void {
  const kernels = readKernels();
  let found = 0;
  for (const [file, source] of kernels) {
    for (const name of ['RADIX', 'LIMIT']) {
      const value = constantOf(source, name);
      if (value === undefined) continue;
      found++;
      assert.equal(value, String(limbRadix), `${name} of ${file}`);
    }
  }
  assert(found >= 7, `${found} kernels with a radix`);
  const residues = kernels.get('residues.ts') ?? '';
  assert.equal(constantOf(residues, 'MERSENNE_61'), '(1 << 61) - 1');
  assert.equal(mersenne61, (1n << 61n) - 1n);
  assert.equal(2n ** 64n - BigInt(constantOf(residues, 'LARGEST_64_GAP') ?? 0), largestPrimeBelow2To64);
  assert.equal(
    constantOf(residues.replace('export const BLOCK', 'const BLOCK'), 'BLOCK'),
    '256',
    'the 256 products that checkTextBounds sums',
  );
}

/** x^(4L) + 1 = ∏ (x^L − c_j): four different fourth roots of −1 for every prime. */
export function checkLanes(): void {
  for (const { p, root } of transformPrimes) {
    const modulus = BigInt(p);
    const zeta = powerMod(BigInt(root), 1n << BigInt(log2Order - 3), modulus);
    const constants = [1n, 5n, 3n, 7n].map((power) => powerMod(zeta, power, modulus));
    assert.equal(new Set(constants).size, 4);
    for (const c of constants) assert.equal(powerMod(c, 4n, modulus), modulus - 1n, `lane modulo ${p}`);
  }
}

/** ∑ ln P_i and ln(P_{i+2}⁴·P_{i+1}²·P_i) as the heaps of a run count them (src/engine/decimal/arena.ts). */
export function checkPlaneBounds(): void {
  const theta = 1.01624;
  const planes = Array.from({ length: 60 }, (_, plane) => 2 ** -plane).reduce((sum, part) => sum + part, 0);
  const joined = Array.from({ length: 7 }, (_, j) => 1 / (j + 1)).reduce((sum, part) => sum + part, 0);
  assert(theta * planes < 2.04 && theta * joined < 2.64);
  assert(Math.max(planes, joined) < 2.6, 'the factor of n in the bytes of a heap');
}

export function checkSums(): void {
  const largest = (radix - 1n) ** 2n;
  const fold = 8n * radix * radix;
  assert(fold + 8n * largest < 2n ** 64n, 'eight products of limbs before a column of the schoolbook gives up 8·10^18');
  assert(
    2n * largest + 2n * radix + 2n < 2n * 10n ** 18n + 2n ** 32n,
    'a column of a number times a word of two limbs',
  );
  assert(2n * 10n ** 18n + 2n ** 32n < 2n ** 64n);
  assert(BigInt(definedResidueLimit) ** 4n < 2n ** 60n, 'four neighbours in one word');
  for (const { p } of transformPrimes) {
    // Eight products of residues, then Montgomery's reduction, which adds p.
    const group = 8n * (BigInt(p) - 1n) ** 2n;
    assert(group < 2n ** 63n && 10n * ((group >> 32n) + BigInt(p)) < 29n * BigInt(p), `interpolation modulo ${p}`);
  }
}

/** Reach of the primes, and their generators. */
export function checkReach(): void {
  const product = transformPrimes.reduce((all, { p }) => all * BigInt(p), 1n);
  assert(product > 38n * 10n ** 43n, 'the product of the primes exceeds 3.8·10^44');
  assert.equal(fieldLimits.mostCoefficients, 645_922_816);
  assert.equal(fieldLimits.mostTerms, 384_860_001);
  assert(BigInt(fieldLimits.mostTerms) * (radix ** 2n - 1n) ** 2n < product);
  assert(BigInt(fieldLimits.mostTerms + 1) * (radix ** 2n - 1n) ** 2n >= product);
  for (const [index, { p }] of transformPrimes.entries()) {
    const order = BigInt(p) - 1n;
    const odd = order >> BigInt(log2Order);
    for (let factor = 2n; factor <= odd; factor++) {
      if (!isPrime(factor) || order % factor !== 0n) continue;
      assert.notEqual(powerMod(primitiveRoot(index), order / factor, BigInt(p)), 1n, `generator modulo ${p}`);
    }
  }
  assert(isPrime(BigInt(largestOneLimbNumber) + 1n), 'the next number is a prime of two limbs');
  for (let n = limbRadix; n <= largestOneLimbNumber; n++) assert(!isPrime(BigInt(n)), `${n}`);
}

/** The reciprocals by which four limbs at a time become digits, and that the kernel has these. */
export function checkDigitReciprocals(): void {
  const source = readKernels().get('text.ts') ?? '';
  const constants = /writeConstants = memory\.data<u32>\(\[([^\]]*)\]/.exec(source)?.[1]?.split(', ').map(Number);
  assert.deepEqual(
    constants,
    [0xd1b71759, 10_000, 6711, 10_486, (100 << 16) - 1, 103 * 0x10001, ((10 << 8) - 1) * 0x10001, 0x30303030],
    'the constants of assembly/text.ts',
  );
  for (const literal of ['* 10486', '* 103'])
    assert(source.includes(literal), `expected ${literal} in assembly/text.ts`);
  for (let x = 0; x < 10_000; x++) {
    const hundreds = (x * 10_486) >> 20;
    assert.equal((x << 16) - hundreds * ((100 << 16) - 1), hundreds + ((x % 100) << 16), `hundreds and ones of ${x}`);
  }
  for (let x = 0; x < 100; x++) {
    const tens = (x * 103) >> 10;
    assert.equal((x << 8) - tens * ((10 << 8) - 1), tens + ((x % 10) << 8), `tens and ones of ${x}`);
  }
  for (let x = 0; x < 100_000; x++) assert.equal(((x >> 4) * 6711) >> 22, Math.floor(x / 10_000), `${x}/10^4`);
  // ⌈2^45/10^4⌉ is too large by excess/10^4; up to 2^30 that stays below 1/10^4 of a quotient.
  const excess = 0xd1b71759n * 10_000n - 2n ** 45n;
  assert(excess >= 0n && excess < 10_000n && excess * 2n ** 30n < 2n ** 45n, 'quotient by 10^4 of a limb');
}
