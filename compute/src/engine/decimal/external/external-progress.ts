import type { ProgressMeter } from '../../../progress-meter.ts';
import type { FactorialFacts } from '../../engine.ts';
import { chainCost } from './chain-cost.ts';
import { type ExternalPlan, significantLimbs } from './external-plan.ts';
import { type ExternalWork, externalWork } from './external-work.ts';
import type { ChainState } from './stored-chain.ts';
import type { StoredNumber } from './stored-number.ts';

/** Tells the meter of a run out of core what is finished, in the units that were announced (`externalWork`). */
export class ExternalProgress {
  readonly #meter: ProgressMeter;
  readonly #facts: FactorialFacts;
  readonly #plan: ExternalPlan;
  readonly #work: ExternalWork;
  /** The start is over when something else is reported. */
  #startUnits: number;
  #stepCount = 1;
  /** Cost of the whole chain, from its first step on. */
  #chainCost = 1;

  constructor(meter: ProgressMeter, facts: FactorialFacts, plan: ExternalPlan) {
    this.#meter = meter;
    this.#facts = facts;
    this.#plan = plan;
    this.#work = externalWork(facts, plan);
    this.#startUnits = this.#work.start;
  }

  /** Nothing is done yet, by anybody. */
  begin(): void {
    this.#meter.advance('sieve', 0);
  }

  readSource(bytes: number): void {
    this.#advance('sieve', (bytes * this.#work.source) / Number(this.#facts.source?.digitCount ?? 1n));
  }

  makePlanes(kind: 'segments' | 'joins', share: number): void {
    this.#advance('sieve', share * this.#work[kind]);
  }

  /** The planes are there, and with them the lengths of all products to come; an earlier process did `inherited`, and the steps before `start`: they took this one no time. */
  startChain(
    planes: readonly (StoredNumber | undefined)[],
    start: ChainState,
    inherited: readonly ('source' | 'segments' | 'joins')[],
  ): void {
    const { sourceLimbs } = this.#plan;
    const resultLimbs = significantLimbs(this.#facts) - sourceLimbs;
    const sizes = { planes: planes.map((plane) => plane?.limbCount), resultLimbs };
    const whole = chainCost({ ...sizes, sourceLimbs }, planes.length, this.#plan);
    const sourceLeft = start.source === undefined ? 0 : sourceLimbs;
    const left = chainCost({ ...sizes, sourceLimbs: sourceLeft }, start.planesLeft, this.#plan);
    this.#chainCost = Math.max(1, whole);
    this.#stepCount = Math.max(1, Math.ceil(planes.length / 2));
    const steps = 1 - Math.ceil(start.planesLeft / 2) / this.#stepCount;
    const chain = (1 - left / this.#chainCost) * this.#work.chain;
    const before = inherited.reduce((sum, kind) => sum + this.#work[kind], steps * this.#work.steps);
    const units = before + (start.planesLeft < planes.length ? chain : 0);
    if (units > 0) this.#meter.inherit('product', units);
  }

  takeStep(): void {
    this.#advance('product', this.#work.steps / this.#stepCount);
  }

  /** Part of a product, by its cost. */
  multiply(cost: number, isInherited = false): void {
    const units = (cost * this.#work.chain) / this.#chainCost;
    if (isInherited) this.#meter.inherit('product', units);
    else this.#advance('product', units);
  }

  #advance(phase: 'sieve' | 'product', units: number): void {
    this.#meter.advance(phase, units + this.#startUnits);
    this.#startUnits = 0;
  }
}
