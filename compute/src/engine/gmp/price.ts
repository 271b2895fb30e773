import type { Budget } from '../../plan/plan.ts';
import { gmpInitialMemoryBytes, gmpMaxMemoryBytes } from '../../wasm/gmp.ts';
import type { EnginePrice, FactorialFacts } from '../engine.ts';
import { estimateSeconds } from './cost-table.ts';
import { decimalLayout, textsPerThread } from './layout.ts';

/** Below this n a run stays on the calling thread: it takes less time there than a thread takes to start. */
export const inlineLimit = 25_000n;
/** Primes must be single GMP limbs. */
const limitByLimb = 2n ** 32n;
/** More threads than this share no more work worth having: the last multiplication and the first division run on one. */
const maxUsefulThreads = 16;

/**
 * Peak bytes of one thread's WASM memory: what it starts with and `wasmBytesPerByte` per byte of the whole number. The largest
 * operation is the division of the whole number by half of it: dividend, divisor, quotient and remainder take 2.5 times the number,
 * GMP's scratch the rest. Measured: 10.2 times for that division alone; the margin is for holes that earlier operations left.
 */
const wasmBytesPerByte = 11.5;
/** Bytes of shared memory per byte of the number: shares and product, then powers, quotients and remainders. */
const sharedBytesPerByte = 3.5;
/** Script memory of a thread and of the calling side: heaps, compiled code, chunks not yet collected (measured: 45 MiB for both). */
const bytesPerThread = 16 * 2 ** 20;
const baseBytes = 32 * 2 ** 20;

/** Bytes of n! / 10^z as a binary number. */
function numberBytes(significantDigits: number): number {
  return Math.ceil((significantDigits * Math.log2(10)) / 8);
}

/** Bound on the bytes of WASM memory that one thread takes for a number of so many digits. */
export function wasmPeakBytes(significantDigits: number): number {
  return gmpInitialMemoryBytes + Math.ceil(wasmBytesPerByte * numberBytes(significantDigits));
}

function memoryBytes(significantDigits: number, threads: number): number {
  const layout = decimalLayout(significantDigits);
  const instances = Math.max(1, threads);
  const texts = (textsPerThread * instances + 1) * layout.leafDigits;
  const perThread = wasmPeakBytes(significantDigits) + (threads === 0 ? 0 : bytesPerThread);
  return baseBytes + instances * perThread + Math.ceil(sharedBytesPerByte * numberBytes(significantDigits)) + texts;
}

/** As many threads as the budget's memory holds; one when it holds none. */
function chooseThreads(n: bigint, significantDigits: number, budget: Budget): number {
  if (n < inlineLimit) return 0;
  let threads = Math.min(budget.threads, maxUsefulThreads);
  while (threads > 1 && memoryBytes(significantDigits, threads) > budget.memoryBytes) threads--;
  return threads;
}

/** The price of n! on this engine: arithmetic only. */
export function priceGmp(facts: FactorialFacts, budget: Budget): EnginePrice {
  const significantDigits = Number(facts.digitCount - facts.trailingZeros);
  const threads = chooseThreads(facts.n, significantDigits, budget);
  const price: EnginePrice = {
    threads,
    memoryBytes: memoryBytes(significantDigits, threads),
    storage: 'memory',
    storageReason: 'this engine computes in memory only',
    scratchBytes: 0,
    ioBytes: 0,
    estimatedSeconds: estimateSeconds(Number(facts.n), threads),
  };
  if (facts.n < limitByLimb && wasmPeakBytes(significantDigits) <= gmpMaxMemoryBytes) return price;
  return { ...price, impossible: 'the number and its scratch space exceed the 2 GiB of one WASM memory' };
}

export function priceGmpIfFits(facts: FactorialFacts, budget: Budget): EnginePrice | undefined {
  const price = priceGmp(facts, budget);
  return price.impossible === undefined && price.memoryBytes <= budget.memoryBytes ? price : undefined;
}
