import { planeCount } from '../../factorial/exponent-planes.ts';
import { surplusZeros } from '../../factorial/surplus-zeros.ts';
import { digitsPerLimb } from '../../multiply/prime-constants.ts';
import { productCoefficients } from '../../multiply/product-bound.ts';
import { maxCoefficients } from '../../multiply/transform-shape.ts';
import type { Budget } from '../../plan/plan.ts';
import { maxMemoryBytes } from '../../wasm/bridge.ts';
import type { EnginePrice, FactorialFacts, SourceFacts } from '../engine.ts';
import { type ArenaSource, type DecimalArena, decimalArena } from './arena.ts';
import { priceExternalIfFits, priceLeastShared, priceScratch } from './external/external-price.ts';

const inMemory = {
  storage: 'memory',
  storageReason: 'limbs and residues fit one WASM memory within the budget',
  scratchBytes: 0,
  ioBytes: 0,
} as const;

/** Below this n a run stays on the calling thread, for 20 ms at most: it is done before a thread has started. */
export const inlineLimit = 100_000n;
const inlineReason = `a factorial below ${inlineLimit}! is computed at once`;
const storeReason = 'beyond one WASM memory nothing stored is started from';
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
  const significantDigits = productDigits(facts);
  if (productCoefficients(Math.ceil(significantDigits / digitsPerLimb) + 1, 0) > maxCoefficients) return undefined;
  const arena = decimalArena(
    n,
    significantDigits,
    Math.max(1, planeCount(n)),
    Math.max(1, threads),
    arenaSource(facts),
  );
  return arena.totalBytes <= maxMemoryBytes ? arena : undefined;
}

/** Zeros at the end of the product that is made: those that a start from m! leaves. */
export function zerosIncluded({ n, source }: FactorialFacts): bigint {
  return source === undefined ? 0n : BigInt(surplusZeros(Number(n), Number(source.n)));
}

/** Digits of the product that is made. */
export function productDigits(facts: FactorialFacts): number {
  return Number(facts.digitCount - facts.trailingZeros + zerosIncluded(facts));
}

function arenaSource({ source }: FactorialFacts): ArenaSource | undefined {
  if (source === undefined) return undefined;
  return { n: Number(source.n), significantDigits: Number(source.digitCount - source.trailingZeros) };
}

/** The price of n! on this engine: the very layout of its memory, and seconds from measured runs. Without scratch, what memory alone would do. */
export function priceDecimal(facts: FactorialFacts, budget: Budget): EnginePrice {
  const fitting = priceDecimalIfFits(facts, budget);
  if (fitting !== undefined) return fitting;
  const inOne = priceInOneMemory(facts, budget);
  if (facts.source !== undefined) {
    const impossible = facts.n < inlineLimit ? inlineReason : storeReason;
    return budget.scratchBytes === 0 && facts.n >= inlineLimit ? inOne : { ...inOne, impossible };
  }
  if (budget.scratchBytes > 0 || inOne.impossible !== undefined) return priceScratch(facts, budget);
  return priceLeastShared(facts, budget.memoryBytes, inOne.memoryBytes) ?? inOne;
}

/** The same when it fits: in one WASM memory where that holds it, else in a store. */
export function priceDecimalIfFits(facts: FactorialFacts, budget: Budget): EnginePrice | undefined {
  if (facts.source !== undefined && facts.n < inlineLimit) return undefined;
  const inOne = priceInOneMemory(facts, budget);
  if (inOne.impossible === undefined && inOne.memoryBytes <= budget.memoryBytes) return inOne;
  return facts.source === undefined ? priceExternalIfFits(facts, budget) : undefined;
}

/** As many threads as the budget's memory holds; one when it holds none. */
function priceInOneMemory(facts: FactorialFacts, budget: Budget): EnginePrice {
  let threads = facts.n < inlineLimit ? 0 : Math.min(budget.threads, maxUsefulThreads);
  let price = priceWith(facts, threads);
  while (threads > 1 && price.memoryBytes > budget.memoryBytes) price = priceWith(facts, --threads);
  return price;
}

function priceWith(facts: FactorialFacts, threads: number): EnginePrice {
  const arena = planArena(facts, threads);
  const digits = Number(facts.digitCount);
  const { source } = facts;
  const estimatedSeconds =
    source === undefined ? estimateSeconds(digits, threads) : estimateSecondsFrom(facts, source, threads);
  const price = { ...inMemory, threads, estimatedSeconds };
  if (arena === undefined) {
    const impossible = 'the number and its residues exceed the 4 GiB of one WASM memory';
    return { ...price, memoryBytes: maxMemoryBytes, impossible };
  }
  return { ...price, memoryBytes: baseBytes + threads * bytesPerThread + arena.totalBytes };
}

/** Start of the threads (the kernels load once per process), then the digits times their logarithm: measured at n = 10^5 … 10^7, good to a factor of two elsewhere. */
function estimateSeconds(digits: number, threads: number): number {
  return startSeconds(threads) + computeSeconds(digits) / lanes(threads) + emissionSeconds(digits);
}

/**
 * The same from a stored m!: (m + 1)…n like a factorial of its own length, one product, a second sieve, and the stored digits, which the calling
 * thread parses meanwhile.
 */
function estimateSecondsFrom({ n, digitCount }: FactorialFacts, source: SourceFacts, threads: number): number {
  const digits = Number(digitCount);
  const sourceDigits = Number(source.digitCount);
  const quotient = computeSeconds(digits - sourceDigits) + siftSecondsPerNumber * Number(n);
  const product = productShare * computeSeconds(digits);
  const reading = sourceDigits * (parseSecondsPerDigit + 1 / source.bytesPerSecond);
  const start = startSeconds(threads) + Math.max(quotient / lanes(threads), reading);
  return start + product / lanes(threads) + emissionSeconds(digits);
}

/** The last product as a share of computing all, sieve and residues of m! per number, parsing and residues per digit of m!. Set by tuners/source.ts. */
const productShare = 0.35;
const siftSecondsPerNumber = 1e-8;
const parseSecondsPerDigit = 1e-9;

function startSeconds(threads: number): number {
  return threads === 0 ? 0 : 0.06;
}

function computeSeconds(digits: number): number {
  return 7e-10 * digits * Math.log2(digits + 2);
}

function emissionSeconds(digits: number): number {
  return 2e-9 * digits;
}

function lanes(threads: number): number {
  return Math.max(1, 0.9 * threads);
}
