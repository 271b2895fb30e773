import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { primeLimbsOf, segmentLayout } from '../../src/engine/decimal/external/alone-state.ts';
import { leastExternalBytes, planExternal } from '../../src/engine/decimal/external/external-plan.ts';
import { multiplyStored } from '../../src/engine/decimal/external/multiply-stored.ts';
import { layoutBytes, openRegion, type RegionClaim } from '../../src/engine/decimal/external/region.ts';
import { listSegmentPrimes } from '../../src/engine/decimal/external/segment-primes.ts';
import {
  type SegmentProducts,
  type SegmentTask,
  segmentBlobBytes,
} from '../../src/engine/decimal/external/segment-task.ts';
import { significantExponent } from '../../src/factorial/exponents.ts';
import { primeSegments } from '../../src/factorial/prime-sieve.ts';
import { readBigInt } from '../../src/limbs/decimal-number.ts';
import { MemoryStore } from '../../src/limbs/memory-store.ts';
import { powerMod } from '../../src/multiply/primes.ts';
import { factorialFacts } from '../../src/plan/plan-factorial.ts';
import { startTaskPool } from '../../src/pool/start-task-pool.ts';
import type { TaskPool } from '../../src/pool/task-pool.ts';
import { verificationModuli } from '../../src/verify/moduli.ts';
import { compileKernels, createMemory, reservedBytes } from '../../src/wasm/bridge.ts';
import { seededRandom } from '../decimal/random.ts';
import { makeTestMemory } from '../decimal/test-memory.ts';
import { factorialNaive } from '../factorial-naive.ts';
import { smallRun } from './small-run.ts';
import { debugThreads, loadBigInt } from './stored.ts';

const debugModule = compileKernels(true);
const span = 4096;

let pool: TaskPool;
beforeAll(async () => {
  pool = await startTaskPool({ threads: 2, signal: new AbortController().signal });
});
afterAll(() => pool[Symbol.asyncDispose]());

/** The primes of [low, low + span) up to n by the sieve in doubles, which is tried against trial division. */
function primesNaive(n: number, low: number): number[] {
  return [...primeSegments(low, Math.min(n, low + span - 1))].flatMap((segment) => [...segment]);
}

function productNaive(factors: readonly number[]): bigint {
  return factors.reduce((product, factor) => product * BigInt(factor), 1n);
}

function claimOf(regionBytes: number): RegionClaim {
  const memory = createMemory(reservedBytes + regionBytes);
  return { share: { runId: randomUUID(), module: debugModule, memory, regionBytes }, regionIndex: 0 };
}

describe('segments of the sieve', () => {
  const numbers = [
    1_000_000_007,
    2 ** 31 - 1,
    2 ** 31 + 11,
    2 ** 32 - 5,
    2 ** 32 + 15,
    10 ** 10,
    10 ** 12 + 39,
    6_561_101_970_383,
  ];
  const windows = numbers.flatMap((n) => {
    const top = span * Math.floor(n / span);
    // The end, beside it, where exponents grow, where squares begin, and the start, where the exponent of 2 exceeds 32 bits.
    const root = span * Math.floor(Math.sqrt(n) / span);
    return [top, top - span, span * Math.floor(n / (3 * span)), root, 0].map((low) => [n, low] as const);
  });
  // Borders of 32 bits within the window, under a larger n.
  const borders = [2 ** 31 - 2048, 2 ** 32 - 2048].map((low) => [10 ** 12, low] as const);
  test.each([...windows, ...borders])(
    'of %d! from %d on have the primes, residues and products of the naive sibling',
    (n, low) => {
      const primeLimbs = primeLimbsOf(n);
      expect(primeLimbs).toBe(2);
      const { instance, take } = openRegion(claimOf(layoutBytes((each) => segmentLayout(each, n, span, 2))));
      const layout = segmentLayout(take, n, span, primeLimbs);
      const primes = listSegmentPrimes(instance, layout, { n, sourceNumber: 0, low, span, primeLimbs });
      const expected = primesNaive(n, low)
        .map((prime) => ({ prime, exponent: significantExponent(n, prime) }))
        .filter(({ exponent }) => exponent > 0);
      expect(primes.largestExponent).toBe(Math.max(0, ...expected.map(({ exponent }) => exponent)));
      const residues = verificationModuli.map((modulus) =>
        expected.reduce((all, one) => (all * powerMod(BigInt(one.prime), BigInt(one.exponent), modulus)) % modulus, 1n),
      );
      expect(primes.powerResidues).toEqual(residues);
      for (let plane = 0; 2 ** plane <= 2 * primes.largestExponent; plane++) {
        const chosen = expected.filter(({ exponent }) => Math.floor(exponent / 2 ** plane) % 2 === 1);
        const product = primes.multiplyPlane(plane);
        const value = product === undefined ? 1n : readBigInt(instance, product);
        expect(value === productNaive(chosen.map(({ prime }) => prime)), `plane ${plane}`).toBe(true);
      }
    },
  );

  test('beyond 10^12 multiply to the product of their primes, through blobs, groups and residues', async () => {
    const n = 10 ** 12;
    const low = span * Math.floor((n - 40 * span) / span);
    const threads = debugThreads(pool, 2, 2 ** 23);
    await using store = new MemoryStore(2 ** 26);
    const lows = Array.from({ length: 6 }, (_, index) => low + index * span);
    const blobs = new Map<number, SegmentTask['out']>();
    const numbers: Parameters<typeof multiplyStored>[1][] = [];
    await threads.map<number, SegmentProducts>(
      new URL('../../dist/engine/decimal/external/segment-task.js', import.meta.url),
      lows,
      async (at, claim): Promise<SegmentTask> => {
        const out = await store.create('segment', segmentBlobBytes(n, at, span));
        blobs.set(at, out);
        return { claim, n, sourceNumber: 0, low: at, span, primeLimbs: 2, out };
      },
      ({ nodes }, at) => {
        // Exponents are 1 here: all primes are in plane 0.
        expect(nodes.map(({ plane }) => plane)).toEqual([0]);
        numbers.push({ blob: blobs.get(at)!, ...nodes[0]! });
      },
    );
    let product = numbers[0]!;
    for (const next of numbers.slice(1)) {
      product = await multiplyStored({ threads, store }, product, next, async () => undefined);
    }
    const primes = lows.flatMap((at) => primesNaive(n, at));
    expect(primes.length).toBeGreaterThan(700);
    expect((await loadBigInt(product)) === productNaive(primes)).toBe(true);
  });
});

test('products of words of 64 bits agree with BigInt, extremes among them', () => {
  const { instance, take } = makeTestMemory(64, 2);
  const { kernels, longs } = instance;
  const [longsPtr, outPtr, scratchPtr] = [take(8192), take(8192), take(1 << 16)];
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const extremes = [1n, 2n, 10n ** 9n - 1n, 10n ** 9n, 10n ** 9n + 7n, 10n ** 18n - 1n];
  for (let count = 1; count <= 300; count += count < 20 ? 1 : 37) {
    for (const kind of ['random', 'largest', 'extremes']) {
      const values = Array.from({ length: count }, () => {
        if (kind === 'largest') return 10n ** 18n - 1n;
        if (kind === 'extremes') return extremes[Math.floor(random() * extremes.length)]!;
        return 1n + BigInt(Math.floor(random() * 1e9)) * 10n ** BigInt(Math.floor(random() * 9));
      });
      longs.set(BigUint64Array.from(values), longsPtr >> 3);
      const limbCount = kernels.multiplyLongs(longsPtr, count, outPtr, scratchPtr);
      const value = readBigInt(instance, { ptr: outPtr, limbCount });
      expect(value === values.reduce((product, one) => product * one), `seed ${seed}, ${count} ${kind}`).toBe(true);
    }
  }
});

test('whole factorials come out right when every prime is taken for a long one, in batches of any size', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  for (const n of [0, 1, 2, 5, 10, 4095, 4097, ...Array.from({ length: 4 }, () => Math.floor(30_000 * random()))]) {
    const settings = { primeLimbs: 2, segmentsPerBatch: 1 + Math.floor(3 * random()) } as const;
    const facts = factorialFacts(BigInt(n));
    const memoryBytes = Math.ceil(leastExternalBytes(facts)! * (3 + 2 * random()));
    const plan = planExternal(facts, memoryBytes, 2, settings)!;
    await using store = new MemoryStore(plan.scratchBytes);
    const text = await smallRun({ n, memoryBytes, threads: 2, pool, store, settings });
    expect(text === factorialNaive(n).toString(), `seed ${seed}, ${n}!, ${JSON.stringify(settings)}`).toBe(true);
  }
});

test('both verification moduli exceed every n that is computed', () => {
  for (const modulus of verificationModuli) expect(modulus).toBeGreaterThan(2n ** 53n);
});
