/**
 * How does n → digits in a warm process compare with gmp-wasm's own factorial and conversion?
 *
 * Usage: node bench/src/warm.ts [n…]. Verifies that both give the same digits, then times them in turn with tinybench; medians and ratios.
 */
import { createHash } from 'node:crypto';
import { computeFactorial, defaultBudget } from '@factorial/compute';
import { init } from 'gmp-wasm';
import { Bench } from 'tinybench';
import { record } from './record.ts';

const numbers =
  process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1_000, 2_000, 5_000, 10_000, 20_000, 100_000];
const millisecondsEach = 1_500;
const minIterations = 5;

const { binding } = await init();

/** The digits as gmp-wasm's users compute them: `mpz_fac_ui`, then `mpz_get_str` into one string. */
function gmpWasm(n: number): string {
  const number = binding.mpz_t();
  binding.mpz_init(number);
  binding.mpz_fac_ui(number, n);
  const text = binding.mpz_to_string(number, 10);
  binding.mpz_clear(number);
  binding.mpz_t_free(number);
  return text;
}

const budget = defaultBudget({ threads: 2 });

async function ours(n: number, take: (chunk: Uint8Array) => void = () => undefined): Promise<void> {
  await using result = await computeFactorial(n, { budget });
  for await (const chunk of result.digits()) take(chunk);
}

const results: unknown[] = [];
for (const n of numbers) {
  const hash = createHash('sha256');
  await ours(n, (chunk) => hash.update(chunk));
  if (hash.digest('hex') !== createHash('sha256').update(gmpWasm(n)).digest('hex')) {
    throw new Error(`expected the same digits of ${n}! from both, got others`);
  }
  const bench = new Bench({ time: millisecondsEach, iterations: minIterations, warmupIterations: 2 });
  bench
    .add('this', () => ours(n))
    .add('gmp-wasm', () => {
      gmpWasm(n);
    });
  await bench.run();
  const [mine, theirs] = bench.tasks.map(({ result }) => {
    if (result.state !== 'completed') throw new Error(`expected both to complete for ${n}!, got ${result.state}`);
    return result.latency.p50;
  });
  results.push({ n, thisMs: mine, gmpWasmMs: theirs, timesFaster: theirs! / mine! });
}
record('warm', results);
