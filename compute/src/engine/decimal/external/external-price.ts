import type { Budget, StorageKind } from '../../../plan/plan.ts';
import type { EnginePrice, FactorialFacts } from '../../engine.ts';
import { type ExternalPlan, leastExternalBytes, planExternal, significantLimbs } from './external-plan.ts';
import { estimateExternalSeconds } from './external-seconds.ts';

/** The two stores that a plan may choose. */
export type StoreKind = Exclude<StorageKind, 'memory'>;

/** Script memory of the calling side and of a thread: heaps, code, file buffers. */
const baseBytes = 16 * 2 ** 20;
const bytesPerThread = 24 * 2 ** 20;
const maxUsefulThreads = 64;
/** What alignment may cost a store in shared memory (limbs/memory-store.ts). */
const sharedSlackBytes = 2 ** 20;

/** Turns in which regions and store are made to fit a memory together. */
const mostTurns = 8;
/** Estimates that differ by less than this share are taken for equal. */
const estimateTolerance = 0.03;

function runtimeBytes(threads: number): number {
  return baseBytes + threads * bytesPerThread;
}

/** The plan of a run of n! on `threads` threads within the budget's memory; in shared memory, what the store leaves is for the regions. */
export function planOfBudget(
  facts: FactorialFacts,
  budget: Budget,
  threads: number,
  store: StoreKind,
): ExternalPlan | undefined {
  return planWithMemory(facts, budget.memoryBytes, threads, store);
}

function planWithMemory(
  facts: FactorialFacts,
  allBytes: number,
  threads: number,
  store: StoreKind,
): ExternalPlan | undefined {
  const memoryBytes = allBytes - runtimeBytes(threads);
  let plan = planExternal(facts, memoryBytes, threads);
  if (store === 'scratch') return plan;
  // What the store takes depends on the regions a little: a few turns with ever smaller regions settle it.
  for (let turn = 0; turn < mostTurns && plan !== undefined; turn++) {
    const excess = plan.memoryBytes + plan.scratchBytes + sharedSlackBytes - memoryBytes;
    if (excess <= 0) return plan;
    plan = planExternal(facts, plan.memoryBytes - excess, threads);
  }
  return undefined;
}

/** The quickest way that fits the budget, in shared memory or with scratch files; undefined when none does. */
export function priceExternalIfFits(facts: FactorialFacts, budget: Budget): EnginePrice | undefined {
  const leastBytes = leastStoreBytes(facts);
  const stores: readonly StoreKind[] = ['shared-memory', 'scratch'];
  const prices = stores
    .filter((store) => leastBytes <= (store === 'scratch' ? budget.scratchBytes : budget.memoryBytes))
    .flatMap((store) => pricesWith(facts, budget, store))
    .filter((price) => price.memoryBytes <= budget.memoryBytes && price.scratchBytes <= budget.scratchBytes);
  return quickest(prices);
}

/** Less than any store needs: a product beside its residues. Small numbers are made in a region. */
function leastStoreBytes(facts: FactorialFacts): number {
  return Math.max(1, 8 * significantLimbs(facts) - 2 ** 24);
}

/** Of those whose estimates are as good as the best one, the first: the one with most threads. */
function quickest(prices: readonly EnginePrice[]): EnginePrice | undefined {
  const least = Math.min(...prices.map(({ estimatedSeconds }) => estimatedSeconds));
  return prices.find(({ estimatedSeconds }) => estimatedSeconds <= (1 + estimateTolerance) * least);
}

/** The price of n! with scratch files: as many threads as the memory has regions for; the least that would do when it has none. */
export function priceScratch(facts: FactorialFacts, budget: Budget): EnginePrice {
  const best = quickest(pricesWith(facts, budget, 'scratch'));
  if (best !== undefined) return best;
  const leastBytes = leastExternalBytes(facts);
  const least = leastBytes === undefined ? undefined : planExternal(facts, leastBytes, 1);
  if (least !== undefined) return priceOf(facts, least, 'scratch');
  const impossible = 'the engine counts in doubles, exact below 2^53, and its tables must fit one WASM memory of 4 GiB';
  return { ...noPrice, impossible };
}

/** The least shared memory between two bounds that would do, if any; found to a mebibyte. `aboveBytes` does not do. */
export function priceLeastShared(
  facts: FactorialFacts,
  aboveBytes: number,
  belowBytes: number,
): EnginePrice | undefined {
  const step = 2 ** 20;
  const planWithin = (steps: number) => planWithMemory(facts, steps * step, 1, 'shared-memory');
  // Invariant: high would do, low would not.
  let [low, high] = [Math.floor(aboveBytes / step), Math.ceil(belowBytes / step) - 1];
  if (high <= low || planWithin(high) === undefined) return undefined;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (planWithin(middle) === undefined) low = middle;
    else high = middle;
  }
  const price = priceOf(facts, planWithin(high)!, 'shared-memory');
  return price.memoryBytes > aboveBytes ? price : undefined;
}

const noPrice = {
  threads: 1,
  memoryBytes: Number.MAX_SAFE_INTEGER,
  scratchBytes: Number.MAX_SAFE_INTEGER,
  ioBytes: 0,
  storage: 'scratch',
  storageReason: 'nothing holds it',
  estimatedSeconds: Number.MAX_SAFE_INTEGER,
} as const;

/** The prices of all sensible numbers of threads, most first. */
function pricesWith(facts: FactorialFacts, budget: Budget, store: StoreKind): EnginePrice[] {
  const prices: EnginePrice[] = [];
  for (let threads = Math.min(budget.threads, maxUsefulThreads); threads >= 1; threads = Math.floor(threads / 2)) {
    const plan = planOfBudget(facts, budget, threads, store);
    if (plan !== undefined) prices.push(priceOf(facts, plan, store));
  }
  return prices;
}

function priceOf(facts: FactorialFacts, plan: ExternalPlan, storage: StoreKind): EnginePrice {
  const { threads, scratchBytes, readBytes, writtenBytes } = plan;
  const regionsBytes = runtimeBytes(threads) + plan.memoryBytes;
  const price = { threads, storage, estimatedSeconds: estimateExternalSeconds(facts, plan, storage) };
  if (storage === 'scratch') {
    const storageReason = `the limbs and residues, ${mebibytes(scratchBytes)} MiB of them, do not fit the memory`;
    return { ...price, memoryBytes: regionsBytes, scratchBytes, ioBytes: readBytes + writtenBytes, storageReason };
  }
  const storageReason = 'they fit the memory, but not one WASM memory within it';
  const memoryBytes = regionsBytes + scratchBytes + sharedSlackBytes;
  return { ...price, memoryBytes, scratchBytes: 0, ioBytes: 0, storageReason };
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
