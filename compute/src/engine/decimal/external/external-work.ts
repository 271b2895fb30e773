import type { FactorialFacts } from '../../engine.ts';
import type { ExternalPlan } from './external-plan.ts';

/** What takes the time of a run out of core before emission, in units of a digit emitted, where no disk is waited for (external-seconds.ts has that, too). */
export interface ExternalWork {
  /** Reading the digits of a stored m!. */
  readonly source: number;
  /** Until the threads are there and warm. */
  readonly start: number;
  readonly segments: number;
  readonly joins: number;
  /** What every step of the chain takes however small it is, all steps together. */
  readonly steps: number;
  /** All large products of the chain, that with a stored m! among them. */
  readonly chain: number;
  readonly total: number;
}

/** Nanoseconds, measured at n = 3·10^7 in 256 MiB (bench/src/eta.ts): per digit emitted and per digit of m! read; per thread and number sieved, and digit multiplied. */
const emissionCost = 2;
const sourceCost = 2.7;
const startCost = 1.2e8;
const siftCost = 12;
const leafCost = 3.6;
const joinStartCost = 8e7;
const stepsCost = 1.35e8;
const joinCost = 0.9;
/** Per unit of `estimateCost`. */
const chainCost = 1.5;

export function externalWork(facts: FactorialFacts, plan: ExternalPlan): ExternalWork {
  const sourceDigits = Number(facts.source?.digitCount ?? 0n);
  const digits = Number(facts.digitCount) - sourceDigits;
  const source = (sourceCost * sourceDigits) / emissionCost;
  const start = startCost / emissionCost;
  const segmentsCost = (siftCost * (plan.n + plan.sourceNumber) + leafCost * digits) * plan.primeLimbs;
  const segments = segmentsCost / plan.threads / emissionCost;
  const joins = (joinStartCost + joinCost * digits) / emissionCost;
  const steps = stepsCost / emissionCost;
  const chain = (chainCost * plan.chainCost) / emissionCost;
  return { source, start, segments, joins, steps, chain, total: start + source + segments + joins + steps + chain };
}

/** Work units of an out-of-core run before emission, where a digit emitted is one. */
export function externalWorkUnits(facts: FactorialFacts, plan: ExternalPlan | undefined): number {
  return plan === undefined ? 1 : Math.ceil(externalWork(facts, plan).total);
}
