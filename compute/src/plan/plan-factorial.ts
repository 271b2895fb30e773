import { digitCountOfFactorial } from '../digits/digit-count.ts';
import type { Engine, EnginePrice, FactorialFacts } from '../engine/engine.ts';
import { admittedEngines } from '../engine/registry.ts';
import { PlanCapacityError } from '../errors.ts';
import { trailingZeroCount } from '../factorial/exponents.ts';
import { maxNumberDigits, parseFactorialNumber } from '../factorial/factorial-number.ts';
import { defaultBudget, parseBudget } from './budget.ts';
import type { Budget, FactorialPlan } from './plan.ts';

/**
 * What n! will take within the budget, before anything runs; microseconds to milliseconds, whatever n is.
 *
 * Among the engines the budget admits, the quickest that fits. Throws `InputError` for a bad n or budget, `PlanCapacityError` when
 * nothing fits: its remedy says what would, and `largestPossible` the largest n that does.
 */
export function planFactorial(n: unknown, budget: Budget = defaultBudget()): FactorialPlan {
  const facts = factorialFacts(parseFactorialNumber(n));
  const checkedBudget = parseBudget(budget);
  const offers = priceAll(facts, checkedBudget);
  const best = offers
    .filter(({ price }) => fits(price, checkedBudget))
    .sort((a, b) => a.price.estimatedSeconds - b.price.estimatedSeconds)[0];
  if (best === undefined) throw capacityError(facts, checkedBudget, offers);
  const { impossible: _, ...price } = best.price;
  return Object.freeze({
    n: facts.n.toString(),
    digitCount: facts.digitCount.toString(),
    trailingZeros: facts.trailingZeros.toString(),
    engine: best.engine.name,
    ...price,
  });
}

/** The largest n whose factorial fits the budget, by binary search over the plan's own arithmetic (some milliseconds). */
export function largestFactorial(budget: Budget = defaultBudget()): bigint {
  const checkedBudget = parseBudget(budget);
  const holds = (n: bigint): boolean =>
    priceAll(factorialFacts(n), checkedBudget).some(({ price }) => fits(price, checkedBudget));
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
  if (lastFacts?.n !== n) {
    lastFacts = Object.freeze({ n, digitCount: digitCountOfFactorial(n), trailingZeros: trailingZeroCount(n) });
  }
  return lastFacts;
}

interface Offer {
  readonly engine: Engine;
  readonly price: EnginePrice;
}

function priceAll(facts: FactorialFacts, budget: Budget): Offer[] {
  return admittedEngines(budget.engine).map((engine) => ({ engine, price: engine.price(facts, budget) }));
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
  const message = `${facts.n}! ${needs}, the budget has ${mebibytes(budget.memoryBytes)} and ${mebibytes(budget.scratchBytes)}`;
  return new PlanCapacityError(message, `give it that much, or ask for less: ${limit}`, largest);
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
