/** Prints microseconds of n! / 10^z by words halved and by sieve and planes: where they cross is `shortProductLimit` (src/engine/decimal/short-product.ts). */
import { multiplyInline } from '../src/engine/decimal/inline.ts';
import { multiplyShort, shortProductLimit } from '../src/engine/decimal/short-product.ts';
import { leastNanoseconds } from './decimal-memory.ts';

for (let n = 300; n <= shortProductLimit; n += 100) {
  const digits = Math.ceil(n * Math.log10(n));
  const short = leastNanoseconds(() => multiplyShort(n)) / 1000;
  const planes = leastNanoseconds(() => multiplyInline(n, digits)) / 1000;
  console.log(`n = ${n}: words ${short.toFixed(1)} µs, planes ${planes.toFixed(1)} µs`);
}
