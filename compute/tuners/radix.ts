/**
 * Prints what the transforms of one squaring cost for the same number with coefficients of 18 digits modulo five primes and of 9 digits modulo three: the
 * second has twice the points. Lanes, combination and carries are left out; they cost more per digit the more primes a digit has.
 * Usage: node radix.ts
 */
import { transformShape } from '../src/multiply/transform-shape.ts';
import { leastNanoseconds, openTunerMemory } from './decimal-memory.ts';

const memory = openTunerMemory(1 << 12, 20, 300 << 20);
const { worker } = memory;
const { kernels } = worker.instance;

/** Nanoseconds of forward, square and inverse modulo one prime, for so many coefficients. */
function onePrime(coefficients: number): number {
  const { leafLength, levels, columns } = transformShape(coefficients);
  const contextPtr = worker.tables.contextPtrs[0]!;
  const bytes = 16 * columns;
  return leastNanoseconds(() => {
    kernels.forwardNtt(contextPtr, lanesPtr, bytes, 0, 0, levels);
    kernels.multiplyPointwise(contextPtr, lanesPtr, lanesPtr, leafLength, 0, 0, levels, worker.scratchPtr);
    kernels.inverseNtt(contextPtr, lanesPtr, bytes, 0, 0, levels);
  }, 500);
}

const lanesPtr = memory.take(4 * transformShape(8_000_000).coefficients);
for (const digits of [100_000, 1_000_000, 10_000_000, 63_000_000]) {
  const five = 5 * onePrime(Math.ceil(digits / 18));
  const three = 3 * onePrime(Math.ceil(digits / 9));
  const [a, b] = [five / digits, three / digits].map((value) => value.toFixed(2));
  console.log(
    `${digits} digits: five primes of 18 digits ${a} ns per digit, three of 9 ${b}: ${(three / five).toFixed(2)}`,
  );
}
