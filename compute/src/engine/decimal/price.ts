import { planeCount } from '../../factorial/exponent-planes.ts';
import { digitsPerLimb } from '../../multiply/prime-constants.ts';
import { productCoefficients } from '../../multiply/residue.ts';
import { maxCoefficients } from '../../multiply/transform-shape.ts';
import { defaultBlockingSeconds } from '../../plan/budget.ts';
import type { Budget } from '../../plan/plan.ts';
import { maxMemoryBytes } from '../../wasm/bridge.ts';
import type { EnginePrice, FactorialFacts } from '../engine.ts';
import { type DecimalArena, decimalArena } from './arena.ts';
import { priceExternal } from './external/external-price.ts';

const inMemory = { storage: 'memory', scratchBytes: 0, ioBytes: 0 } as const;

/** Primes are below one limb. */
const limitByLimb = 10n ** 9n;
/** More threads than this meet more often than they work. */
const maxUsefulThreads = 64;
/** Script memory of a thread and of the calling side: heaps, sieve segments, code. */
const bytesPerThread = 24 * 2 ** 20;
const baseBytes = 16 * 2 ** 20;

/** The memory of a run of n! on `threads` threads (0 = inline); undefined when no 32-bit memory holds it. */
export function planArena(facts: FactorialFacts, threads: number): DecimalArena | undefined {
  if (facts.n >= limitByLimb) return undefined;
  const n = Number(facts.n);
  const significantDigits = Number(facts.digitCount - facts.trailingZeros);
  if (productCoefficients(Math.ceil(significantDigits / digitsPerLimb) + 1, 0) > maxCoefficients) return undefined;
  const arena = decimalArena(n, significantDigits, Math.max(1, planeCount(n)), Math.max(1, threads));
  return arena.totalBytes <= maxMemoryBytes ? arena : undefined;
}

/** The price of n! on this engine: the very layout of its memory, and seconds from measured runs. */
export function priceDecimal(facts: FactorialFacts, budget: Budget): EnginePrice {
  let threads = chooseThreads(facts, budget);
  let price = priceWith(facts, threads);
  while (threads > 1 && price.memoryBytes > budget.memoryBytes) price = priceWith(facts, --threads);
  const fits = price.impossible === undefined && price.memoryBytes <= budget.memoryBytes;
  // Without scratch, say what memory would do; with it, or when no memory would, what both would.
  return fits || (budget.scratchBytes === 0 && price.impossible === undefined) ? price : priceExternal(facts, budget);
}

/** 0 where the calling thread may compute as long as it takes, and is done before threads that must start first. */
function chooseThreads(facts: FactorialFacts, budget: Budget): number {
  const digits = Number(facts.digitCount);
  const threads = Math.min(budget.threads, maxUsefulThreads);
  const alone = estimateSeconds(digits, 0);
  const mayBlock = alone <= (budget.blockingSeconds ?? defaultBlockingSeconds);
  return mayBlock && alone <= estimateSeconds(digits, threads) ? 0 : threads;
}

function priceWith(facts: FactorialFacts, threads: number): EnginePrice {
  const arena = planArena(facts, threads);
  const digits = Number(facts.digitCount);
  const price = { ...inMemory, threads, estimatedSeconds: estimateSeconds(digits, threads) };
  if (arena === undefined) {
    const impossible = 'the number and its residues exceed the 4 GiB of one WASM memory';
    return { ...price, memoryBytes: maxMemoryBytes, impossible };
  }
  return { ...price, memoryBytes: baseBytes + threads * bytesPerThread + arena.totalBytes };
}

/** Start of the threads (the kernels load once per process), then the digits times their logarithm: measured at n = 10^5 … 10^7, good to a factor of two elsewhere. */
function estimateSeconds(digits: number, threads: number): number {
  const startSeconds = threads === 0 ? 0 : 0.06;
  const work = 7e-10 * digits * Math.log2(digits + 2);
  const emission = 2e-9 * digits;
  return startSeconds + work / Math.max(1, 0.9 * threads) + emission;
}
