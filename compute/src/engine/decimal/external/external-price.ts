import type { Budget } from '../../../plan/plan.ts';
import type { EnginePrice, FactorialFacts } from '../../engine.ts';
import { type ExternalPlan, leastExternalBytes, planExternal } from './external-plan.ts';

/** Script memory of the calling side and of a thread: heaps, code, file buffers. */
const baseBytes = 16 * 2 ** 20;
const bytesPerThread = 24 * 2 ** 20;
const maxUsefulThreads = 64;

/** Computing a digit out of core takes so many times what emitting it takes. */
const unitsPerDigit = 20;

/** Work units of an out-of-core run before emission, where a digit emitted is one. */
export function externalWorkUnits(facts: FactorialFacts): number {
  return unitsPerDigit * Number(facts.digitCount - facts.trailingZeros);
}

function runtimeBytes(threads: number): number {
  return baseBytes + threads * bytesPerThread;
}

/** The plan of a run of n! on `threads` threads within the budget's memory. */
export function planOfBudget(facts: FactorialFacts, budget: Budget, threads: number): ExternalPlan | undefined {
  return planExternal(facts, budget.memoryBytes - runtimeBytes(threads), threads);
}

/** The price of n! with scratch files: as many threads as the memory has regions for; the least that would do when it has none. */
export function priceExternal(facts: FactorialFacts, budget: Budget): EnginePrice {
  if (facts.source !== undefined)
    return { ...noPrice, impossible: 'with scratch files nothing stored is started from' };
  let best: EnginePrice | undefined;
  for (let threads = Math.min(budget.threads, maxUsefulThreads); threads >= 1; threads = Math.floor(threads / 2)) {
    const plan = planOfBudget(facts, budget, threads);
    if (plan === undefined) continue;
    const price = priceOf(facts, plan);
    if (best === undefined || price.estimatedSeconds < best.estimatedSeconds) best = price;
  }
  if (best !== undefined) return best;
  const leastBytes = leastExternalBytes(facts);
  const least = leastBytes === undefined ? undefined : planExternal(facts, leastBytes, 1);
  if (least !== undefined) return priceOf(facts, least);
  const impossible = 'no product of this size is within the reach of the five primes, or a prime exceeds one limb';
  return { ...noPrice, impossible };
}

const noPrice = {
  threads: 1,
  memoryBytes: Number.MAX_SAFE_INTEGER,
  scratchBytes: Number.MAX_SAFE_INTEGER,
  ioBytes: 0,
  storage: 'scratch',
  estimatedSeconds: Number.MAX_SAFE_INTEGER,
} as const;

function priceOf(facts: FactorialFacts, plan: ExternalPlan): EnginePrice {
  const digits = Number(facts.digitCount);
  // Measured; files that do not stay in the page cache add the disk's time.
  const work = 1.6e-9 * digits * Math.log2(digits + 2);
  const ioBytes = plan.readBytes + plan.writtenBytes;
  const io = ioBytes / 3e9;
  return {
    threads: plan.threads,
    storage: 'scratch',
    memoryBytes: runtimeBytes(plan.threads) + plan.memoryBytes,
    scratchBytes: plan.scratchBytes,
    ioBytes,
    estimatedSeconds: 0.3 + (work + io) / Math.max(1, 0.9 * plan.threads) + 2e-9 * digits,
  };
}
