import { planeCount } from '../../factorial/exponent-planes.ts';
import { surplusZeros } from '../../factorial/surplus-zeros.ts';
import { digitsPerLimb } from '../../multiply/prime-constants.ts';
import { productCoefficients } from '../../multiply/product-bound.ts';
import { maxCoefficients } from '../../multiply/transform-shape.ts';
import { defaultBlockingSeconds } from '../../plan/budget.ts';
import type { Budget } from '../../plan/plan.ts';
import { maxMemoryBytes } from '../../wasm/bridge.ts';
import type { EnginePrice, FactorialFacts, SourceFacts } from '../engine.ts';
import { type ArenaSource, type DecimalArena, decimalArena } from './arena.ts';
import { priceExternalIfFits, priceLeastShared, priceScratch } from './external/external-price.ts';
import { defaultTuning } from './tuning.ts';
import { arenaWork, emissionSeconds, lanes, startSeconds } from './work.ts';

const inMemory = {
  storage: 'memory',
  storageReason: 'limbs and residues fit one WASM memory within the budget',
  scratchBytes: 0,
  ioBytes: 0,
} as const;

const inlineReason = 'a factorial this small is computed at once';
/** Primes are below one limb. */
const limitByLimb = 10n ** 9n;
/** More threads than this meet more often than they work. */
const maxUsefulThreads = 64;
/** Script memory of a thread and of the calling side: heaps, sieve segments, code. */
const bytesPerThread = 24 * 2 ** 20;
const baseBytes = 16 * 2 ** 20;

/** The memory of a run of n! on `threads` threads (0 = inline); undefined when no 32-bit memory holds it. */
export function planArena(facts: FactorialFacts, threads: number, tuning = defaultTuning): DecimalArena | undefined {
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
    tuning,
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
  if (isTooSmallForSource(facts, inOne)) return { ...inOne, impossible: inlineReason };
  if (budget.scratchBytes > 0 || inOne.impossible !== undefined) return priceScratch(facts, budget);
  return priceLeastShared(facts, budget.memoryBytes, inOne.memoryBytes) ?? inOne;
}

/** The same when it fits: in one WASM memory where that holds it, else in a store. */
export function priceDecimalIfFits(facts: FactorialFacts, budget: Budget): EnginePrice | undefined {
  const inOne = priceInOneMemory(facts, budget);
  if (isTooSmallForSource(facts, inOne)) return undefined;
  const fits = inOne.impossible === undefined && inOne.memoryBytes <= budget.memoryBytes;
  return fits ? inOne : priceExternalIfFits(facts, budget);
}

function isTooSmallForSource({ source }: FactorialFacts, { threads }: EnginePrice): boolean {
  return source !== undefined && threads === 0;
}

/** As many threads as the budget's memory holds; one when it holds none. */
function priceInOneMemory(facts: FactorialFacts, budget: Budget): EnginePrice {
  let threads = chooseThreads(facts, budget);
  let price = priceWith(facts, threads);
  while (threads > 1 && price.memoryBytes > budget.memoryBytes) price = priceWith(facts, --threads);
  return price;
}

/** 0 where the calling thread may compute as long as it takes, and is done before threads that must start first. */
function chooseThreads(facts: FactorialFacts, budget: Budget): number {
  const digits = Number(facts.digitCount);
  const threads = Math.min(budget.threads, maxUsefulThreads);
  const alone = smallSeconds(digits, 0);
  const mayBlock = alone <= (budget.blockingSeconds ?? defaultBlockingSeconds);
  return mayBlock && alone <= smallSeconds(digits, threads) ? 0 : threads;
}

function priceWith(facts: FactorialFacts, threads: number): EnginePrice {
  const arena = planArena(facts, threads);
  const price = { ...inMemory, threads, estimatedSeconds: estimateSeconds(facts, arena, threads) };
  if (arena === undefined) {
    const impossible = 'the number and its residues exceed the 4 GiB of one WASM memory';
    return { ...price, memoryBytes: maxMemoryBytes, impossible };
  }
  return { ...price, memoryBytes: baseBytes + threads * bytesPerThread + arena.totalBytes };
}

/** The work of the arena, threads that start among it, with the digits of a stored m! read beside it; emission. */
function estimateSeconds(facts: FactorialFacts, arena: DecimalArena | undefined, threads: number): number {
  const digits = Number(facts.digitCount);
  if (arena === undefined || threads === 0) return smallSeconds(digits, threads);
  const { source: last, total } = arenaWork(arena);
  const product = Math.max((total - last) / lanes(threads), readingSeconds(facts.source));
  return product + last / lanes(threads) + emissionSeconds(digits);
}

/** The same for small n, where what counts is whether threads are worth their start. */
function smallSeconds(digits: number, threads: number): number {
  const start = threads === 0 ? 0 : startSeconds(threads);
  return start + (7e-10 * digits * Math.log2(digits + 2)) / lanes(threads) + emissionSeconds(digits);
}

/** Parsing and residues, on the calling thread. */
const parseSecondsPerDigit = 5e-10;

function readingSeconds(source: SourceFacts | undefined): number {
  return source === undefined ? 0 : Number(source.digitCount) * (parseSecondsPerDigit + 1 / source.bytesPerSecond);
}
