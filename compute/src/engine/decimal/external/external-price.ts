import type { Budget, StorageKind } from '../../../plan/plan.ts';
import type { EnginePrice, FactorialFacts } from '../../engine.ts';
import { type ExternalPlan, leastExternalBytes, planExternal } from './external-plan.ts';
import { estimateExternalSeconds } from './external-seconds.ts';

/** The two stores that a plan may choose. */
export type StoreKind = Exclude<StorageKind, 'memory'>;

/** Script memory of the calling side and of a thread: heaps, code, file buffers. */
const baseBytes = 16 * 2 ** 20;
const bytesPerThread = 24 * 2 ** 20;
const maxUsefulThreads = 64;
/** What alignment may cost a store in shared memory (limbs/memory-store.ts). */
const sharedSlackBytes = 2 ** 20;

/** Computing a digit out of core takes so many times what emitting it takes. */
const unitsPerDigit = 20;

/** Work units of an out-of-core run before emission, where a digit emitted is one. */
export function externalWorkUnits(facts: FactorialFacts): number {
  return unitsPerDigit * Number(facts.digitCount - facts.trailingZeros);
}

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
  const memoryBytes = budget.memoryBytes - runtimeBytes(threads);
  let plan = planExternal(facts, memoryBytes, threads);
  if (store === 'scratch') return plan;
  // What the store takes depends on the regions a little: a few turns settle it.
  for (let turn = 0; turn < 4 && plan !== undefined; turn++) {
    if (plan.memoryBytes + plan.scratchBytes + sharedSlackBytes <= memoryBytes) return plan;
    plan = planExternal(facts, memoryBytes - sharedSlackBytes - plan.scratchBytes, threads);
  }
  return undefined;
}

/** The quickest way that fits the budget, in shared memory or with scratch files; undefined when none does. */
export function priceExternalIfFits(facts: FactorialFacts, budget: Budget): EnginePrice | undefined {
  const stores: readonly StoreKind[] = budget.scratchBytes > 0 ? ['shared-memory', 'scratch'] : ['shared-memory'];
  const prices = stores
    .flatMap((store) => pricesWith(facts, budget, store))
    .filter((price) => price.memoryBytes <= budget.memoryBytes && price.scratchBytes <= budget.scratchBytes);
  return prices.sort((a, b) => a.estimatedSeconds - b.estimatedSeconds)[0];
}

/** The price of n! with scratch files: as many threads as the memory has regions for; the least that would do when it has none. */
export function priceScratch(facts: FactorialFacts, budget: Budget): EnginePrice {
  const best = pricesWith(facts, budget, 'scratch').sort((a, b) => a.estimatedSeconds - b.estimatedSeconds)[0];
  if (best !== undefined) return best;
  const leastBytes = leastExternalBytes(facts);
  const least = leastBytes === undefined ? undefined : planExternal(facts, leastBytes, 1);
  if (least !== undefined) return priceOf(facts, least, 'scratch');
  const impossible = 'the engine counts in doubles, exact below 2^53, and its tables must fit one WASM memory of 4 GiB';
  return { ...noPrice, impossible };
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

/** The prices of all sensible numbers of threads. */
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
