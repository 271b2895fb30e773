import { digitCountOfFactorial } from '../digits/digit-count.ts';
import type { Engine, EnginePrice, FactorialFacts } from '../engine/engine.ts';
import { admittedEngines } from '../engine/registry.ts';
import { PlanCapacityError } from '../errors.ts';
import { trailingZeroCount } from '../factorial/exponents.ts';
import { maxNumberDigits, parseFactorialNumber } from '../factorial/factorial-number.ts';
import { type ParsedSource, parseSource, type SourceOffer } from '../source/stored-factorial.ts';
import { defaultBudget, parseBudget } from './budget.ts';
import type { Budget, FactorialPlan, PlannedStart } from './plan.ts';

export interface PlanOptions {
  /** A stored m! that may be started from. */
  readonly from?: SourceOffer;
}

/**
 * What n! will take within the budget, before anything runs; microseconds to milliseconds, whatever n is. With a stored m! offered, the plan starts from
 * it where that is quicker, and says so in `from`.
 *
 * Among the engines the budget admits, the quickest that fits. Throws `InputError` for a bad n or budget, `PlanCapacityError` when
 * nothing fits: its remedy says what would, and `largestPossible` the largest n that does.
 */
export function planFactorial(n: unknown, budget: Budget = defaultBudget(), { from }: PlanOptions = {}): FactorialPlan {
  const facts = factorialFacts(parseFactorialNumber(n));
  const checkedBudget = parseBudget(budget);
  const offers = priceAll(facts, checkedBudget);
  const afresh = quickest(offers, checkedBudget);
  const start = from === undefined ? undefined : chooseStart(facts, parseSource(from, facts.n), checkedBudget, afresh);
  const best = start?.offer ?? afresh;
  if (best === undefined) throw capacityError(facts, checkedBudget, offers);
  return Object.freeze({ ...planOf(facts, best), ...(start === undefined ? {} : { from: start.planned }) });
}

function planOf(facts: FactorialFacts, { engine, price: { impossible: _, ...price } }: Offer): FactorialPlan {
  return Object.freeze({
    n: facts.n.toString(),
    digitCount: facts.digitCount.toString(),
    trailingZeros: facts.trailingZeros.toString(),
    engine: engine.name,
    ...price,
  });
}

/** From a stored m! only when that saves this share of the time: the estimates are not better than that. */
const leastGain = 0.2;

/** What is offered from the stored m!, if that is better than `afresh`, and the decision in words. */
function chooseStart(
  facts: FactorialFacts,
  source: ParsedSource,
  budget: Budget,
  afresh: Offer | undefined,
): { readonly offer: Offer | undefined; readonly planned: PlannedStart } {
  const offers = source.m < 2n ? [] : priceAll(withSource(facts, source), budget);
  const from = quickest(offers, budget);
  const secondsFrom = from?.price.estimatedSeconds ?? null;
  const secondsAfresh = afresh?.price.estimatedSeconds ?? null;
  const used = secondsFrom !== null && (secondsAfresh === null || secondsFrom < (1 - leastGain) * secondsAfresh);
  const reason =
    from === undefined || secondsFrom === null
      ? source.m < 2n
        ? `${source.m}! is 1: there is nothing to start from`
        : (offers[0]?.price.impossible ?? `a start from ${source.m}! does not fit the budget`)
      : `from ${source.m}! about ${shortSeconds(secondsFrom)}, afresh ${shortSeconds(secondsAfresh)}`;
  const planned = Object.freeze({ n: source.m.toString(), used, reason, secondsFrom, secondsAfresh });
  return { offer: used ? from : undefined, planned };
}

function shortSeconds(seconds: number | null): string {
  return seconds === null ? 'not possible' : `${Number(seconds.toPrecision(2))} s`;
}

/** The facts of n! to be computed from a stored m!. */
export function withSource(facts: FactorialFacts, { m, bytesPerSecond }: ParsedSource): FactorialFacts {
  const source = { n: m, digitCount: digitCountOfFactorial(m), trailingZeros: trailingZeroCount(m), bytesPerSecond };
  return Object.freeze({ ...facts, source });
}

function quickest(offers: readonly Offer[], budget: Budget): Offer | undefined {
  return offers
    .filter(({ price }) => fits(price, budget))
    .sort((a, b) => a.price.estimatedSeconds - b.price.estimatedSeconds)[0];
}

/** The largest n whose factorial fits the budget, by binary search over the plan's own arithmetic (some milliseconds). */
export function largestFactorial(budget: Budget = defaultBudget()): bigint {
  const checkedBudget = parseBudget(budget);
  const holds = (n: bigint): boolean =>
    admittedEngines(checkedBudget.engine).some((engine) => engine.priceIfFits(factsOf(n), checkedBudget) !== undefined);
  // Invariant: low holds (0! fits every valid budget), high does not or is beyond all n.
  let low = 0n;
  let high = 10n ** BigInt(maxNumberDigits);
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

let lastFacts: FactorialFacts | undefined;

/** Digits and trailing zeros of n!, both exact. The last ones are kept: plan and run ask for the same. */
export function factorialFacts(n: bigint): FactorialFacts {
  if (lastFacts?.n !== n) lastFacts = factsOf(n);
  return lastFacts;
}

function factsOf(n: bigint): FactorialFacts {
  return Object.freeze({ n, digitCount: digitCountOfFactorial(n), trailingZeros: trailingZeroCount(n) });
}

interface Offer {
  readonly engine: Engine;
  readonly price: EnginePrice;
}

function priceAll(facts: FactorialFacts, budget: Budget): Offer[] {
  return admittedEngines(budget.engine).map((engine) => ({
    engine,
    price:
      facts.source === undefined || engine.takesSource
        ? engine.price(facts, budget)
        : { ...engine.price(facts, budget), impossible: `the engine ${engine.name} starts from nothing stored` },
  }));
}

function fits(price: EnginePrice, budget: Budget): boolean {
  return (
    price.impossible === undefined &&
    price.memoryBytes <= budget.memoryBytes &&
    price.scratchBytes <= budget.scratchBytes
  );
}

function capacityError(facts: FactorialFacts, budget: Budget, offers: readonly Offer[]): PlanCapacityError {
  const largest = largestFactorial(budget);
  const possible = offers.filter(({ price }) => price.impossible === undefined);
  const cheapest = possible.sort((a, b) => a.price.memoryBytes - b.price.memoryBytes)[0];
  const limit = `the largest n that fits is ${largest}`;
  if (cheapest === undefined) {
    const reason = offers.map(({ engine, price }) => `engine ${engine.name}: ${price.impossible}`).join('; ');
    return new PlanCapacityError(`${facts.n}! cannot be computed (${reason})`, limit, largest);
  }
  const { memoryBytes, scratchBytes } = cheapest.price;
  const scratch = scratchBytes > 0 ? ` and ${mebibytes(scratchBytes)} MiB of scratch` : '';
  const needs = `needs ${mebibytes(memoryBytes)} MiB of memory${scratch}`;
  const given = `${mebibytes(budget.memoryBytes)} MiB of memory and ${mebibytes(budget.scratchBytes)} MiB of scratch`;
  const message = `${facts.n}! ${needs}, the budget has ${given}`;
  const withScratch = offerWithin(facts, { ...budget, scratchBytes: Number.MAX_SAFE_INTEGER });
  const remedies = [
    'give it that much',
    ...memoryRemedy(facts, budget, scratchBytes),
    ...scratchRemedy(budget, withScratch?.price),
  ];
  const remedy = `${remedies.join(', or ')}, or ask for less: ${limit}`;
  return new PlanCapacityError(message, remedy, largest, planOf(facts, withScratch ?? cheapest));
}

/** What memory would do without the scratch files that are wanting. */
function memoryRemedy(facts: FactorialFacts, budget: Budget, neededScratchBytes: number): string[] {
  if (neededScratchBytes === 0) return [];
  const offer = offerWithin(facts, { ...budget, memoryBytes: Number.MAX_SAFE_INTEGER, scratchBytes: 0 });
  return offer === undefined ? [] : [`${mebibytes(offer.price.memoryBytes)} MiB of memory`];
}

/** What scratch files would do beside the memory there is. */
function scratchRemedy(budget: Budget, price: EnginePrice | undefined): string[] {
  if (price === undefined || budget.scratchBytes >= price.scratchBytes) return [];
  return [`a folder with ${mebibytes(price.scratchBytes)} MiB for scratch files beside the memory it has`];
}

/** The first engine's offer within a budget, if any. */
function offerWithin(facts: FactorialFacts, budget: Budget): Offer | undefined {
  for (const engine of admittedEngines(budget.engine)) {
    const price = engine.priceIfFits(facts, budget);
    if (price !== undefined) return { engine, price };
  }
  return undefined;
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
