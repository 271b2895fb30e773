/**
 * How does n → verified digits in a warm process compare with GMP: with gmp-wasm's own `mpz_fac_ui` and `mpz_get_str` in the same process, and, for
 * large n, with the native program?
 *
 * Usage: node bench/src/warm.ts [n…]. Verifies that all give the same digits, then runs them in turn; medians and ratios.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { computeFactorial, computeTinyFactorial, defaultBudget, tinyFactorialLimit } from '@factorial/compute';
import { init } from 'gmp-wasm';
import { Bench } from 'tinybench';
import { measureProcess, median, sha256OfFile } from './measured-process.ts';
import { buildNativeGmp } from './native-gmp.ts';
import { record } from './record.ts';

const defaultNumbers = [1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 1_000_000];
const numbers = process.argv.length > 2 ? process.argv.slice(2).map(Number) : defaultNumbers;
/** From here on the peer is the native program: gmp-wasm takes seconds. */
const nativeFrom = 1_000_000;
const secondsPerNumber = 4;
const minRounds = 5;
const maxRounds = 2_000;
const warmUpRounds = 3;

const folder = mkdtempSync(join(tmpdir(), 'factorial-warm-'));
const nativeOut = join(folder, 'digits');
const native = buildNativeGmp(folder);
const { binding } = await init();
/** The process does nothing else, so the calling thread may compute; `threaded` is what a server would do. */
const alone = defaultBudget({ threads: 2, blockingSeconds: 0.25 });
const threaded = defaultBudget({ threads: 2 });

type Take = (digits: Uint8Array | string) => void;

interface Program {
  readonly name: string;
  readonly takes: (n: number) => boolean;
  /** Hands every digit over; `overriddenDuration` is the time in milliseconds where the program measures itself. */
  readonly run: (n: number, take: Take) => Promise<undefined | { overriddenDuration: number }>;
}

const stream = (budget: ReturnType<typeof defaultBudget>) => async (n: number, take: Take) => {
  await using result = await computeFactorial(n, { budget });
  for await (const chunk of result.digits()) take(chunk);
  return undefined;
};

/** The digits as gmp-wasm's users compute them. */
async function gmpWasm(n: number, take: Take): Promise<undefined> {
  const number = binding.mpz_t();
  binding.mpz_init(number);
  binding.mpz_fac_ui(number, n);
  take(binding.mpz_to_string(number, 10));
  binding.mpz_clear(number);
  binding.mpz_t_free(number);
}

const programs: readonly Program[] = [
  {
    name: 'computeTinyFactorial',
    takes: (n) => n <= tinyFactorialLimit,
    run: async (n, take) => void take(computeTinyFactorial(n)),
  },
  { name: 'computeFactorial', takes: () => true, run: stream(threaded) },
  { name: 'computeFactorial, calling thread', takes: (n) => n >= nativeFrom, run: stream(alone) },
  { name: 'gmp-wasm', takes: (n) => n < nativeFrom, run: gmpWasm },
  {
    name: 'native GMP',
    takes: (n) => n >= nativeFrom,
    run: async (n) => {
      const { wallSeconds } = await measureProcess([native, String(n), nativeOut]);
      return { overriddenDuration: 1000 * wallSeconds };
    },
  },
];

try {
  const results: unknown[] = [];
  for (const n of numbers) results.push(await compare(n));
  record('warm', results);
} finally {
  rmSync(folder, { recursive: true });
}

async function compare(n: number): Promise<unknown> {
  const taking = programs.filter(({ takes }) => takes(n));
  const sha256 = await assertSameDigits(n, taking);
  for (let round = 0; round < warmUpRounds; round++) await runAll(n, taking);
  const rounds: number[][] = [];
  const endMs = performance.now() + 1000 * secondsPerNumber;
  while (rounds.length < minRounds || (rounds.length < maxRounds && performance.now() < endMs)) {
    rounds.push(await runAll(n, taking));
  }
  const medians = taking.map((_, index) => median(rounds.map((times) => times[index]!)));
  const peerMs = medians.at(-1)!;
  return {
    n,
    sha256,
    rounds: rounds.length,
    programs: taking.map(({ name }, index) => ({
      name,
      medianMs: medians[index],
      minMs: Math.min(...rounds.map((times) => times[index]!)),
      timesFasterThanPeer: peerMs / medians[index]!,
    })),
  };
}

/** One run of each, in turn: milliseconds. */
async function runAll(n: number, taking: readonly Program[]): Promise<number[]> {
  const bench = new Bench({ iterations: 1, time: 0, warmup: false, throws: true });
  // An async function, told from others by its kind: any other is called once, when it is added, to see what it returns, and would run beside the rest.
  for (const { name, run } of taking) bench.add(name, async () => await run(n, () => undefined));
  await bench.run();
  return bench.tasks.map(({ name, result }) => {
    if (result.state !== 'completed') throw new Error(`expected ${name} to complete for ${n}!, got ${result.state}`);
    return result.latency.mean;
  });
}

/** The digest that all of them have. Throws when they differ. */
async function assertSameDigits(n: number, taking: readonly Program[]): Promise<string> {
  const digests = new Set<string>();
  for (const { name, run } of taking) {
    const hash = createHash('sha256');
    await run(n, (digits) => hash.update(digits));
    digests.add(name === 'native GMP' ? await sha256OfFile(nativeOut) : hash.digest('hex'));
  }
  if (digests.size !== 1) throw new Error(`expected the same digits of ${n}! from all, got ${[...digests].join(', ')}`);
  return [...digests][0]!;
}
