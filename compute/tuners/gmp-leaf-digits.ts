/**
 * Prints nanoseconds per digit of `mpz_get_str` by the size of the number: up to where it pays to leave the conversion to it, instead
 * of dividing on.
 */
import type textTask from '../src/engine/gmp/text-task.ts';
import type { loadGmp as Load } from '../src/wasm/gmp.ts';

const load = async (path: string) => (await import(new URL(path, import.meta.url).href)) as unknown;
const { loadGmp } = (await load('../dist/wasm/gmp.js')) as { loadGmp: typeof Load };
const { default: convert } = (await load('../dist/engine/gmp/text-task.js')) as { default: typeof textTask };

const gmp = await loadGmp();
for (let leafDigits = 1250; leafDigits <= 2_560_000; leafDigits *= 2) {
  const number = gmp.allocate(7);
  gmp.powerInPlace(number, Math.floor((leafDigits - 1) / Math.log10(7)));
  const limbs = gmp.store(number);
  gmp.release(number);
  await convert({ limbs, leafDigits });
  const startMs = performance.now();
  const repeats = Math.ceil(1_000_000 / leafDigits);
  for (let repeat = 0; repeat < repeats; repeat++) await convert({ limbs, leafDigits });
  const nsPerDigit = ((performance.now() - startMs) * 1e6) / repeats / leafDigits;
  console.log(`${String(leafDigits).padStart(7)} digits: ${nsPerDigit.toFixed(0)} ns/digit`);
}
