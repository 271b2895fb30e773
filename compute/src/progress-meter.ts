import type { ProgressListener, ProgressPhase } from './progress.ts';

/** The plan's estimate counts as much as this share of the work done in that time. */
const planShare = 0.3;
/** Without an estimate there is no guess before this share of the work is done. */
const leastShare = 0.02;

/**
 * Counts the work of one run and tells the listener; `done` only grows, and reaches `total` by `finish`, not before. A unit is worth the same time
 * in all phases, so that the time left follows from the time that the units so far took.
 */
export class ProgressMeter {
  readonly total: number;
  readonly #listener: ProgressListener | undefined;
  #done = 0;
  /** Units that an earlier process did: they took this one no time. */
  #inherited = 0;
  readonly #estimatedSeconds: number | undefined;
  #startedMs: number | undefined;
  /** When the run would end if all units took as long as those done so far did. */
  #endsMs: number | undefined;

  /** `estimatedSeconds`: the plan's, for the whole. Restrictions: 1 ≤ total < 2^53, an integer. */
  constructor(total: number, listener: ProgressListener | undefined, estimatedSeconds?: number) {
    this.total = total;
    this.#listener = listener;
    this.#estimatedSeconds = estimatedSeconds;
  }

  /** Report `units` more of finished work; units beyond the announced total are not counted. */
  advance(phase: ProgressPhase, units: number): void {
    const nowMs = performance.now();
    this.#startedMs ??= nowMs;
    this.#add(units);
    if (units > 0 || this.#endsMs === undefined) this.#endsMs = this.#expectEnd(nowMs, this.#startedMs);
    this.#listener?.({ phase, done: Math.floor(this.#done), total: this.total, ...this.#remaining(nowMs) });
  }

  /** Report units that were done before this run. */
  inherit(phase: ProgressPhase, units: number): void {
    const before = this.#done;
    this.#add(units);
    this.#inherited += this.#done - before;
    this.advance(phase, 0);
  }

  /** Report that nothing is done yet, and why. */
  wait(reason: string): void {
    this.#listener?.({ phase: 'waiting', done: Math.floor(this.#done), total: this.total, reason });
  }

  finish(): void {
    this.#done = this.total;
    this.#listener?.({ phase: 'emit', done: this.total, total: this.total, remainingSeconds: 0 });
  }

  #add(units: number): void {
    this.#done = Math.min(this.#done + units, this.total - 1);
  }

  /** From the time that this run's units took, and from the plan's estimate while these are few. */
  #expectEnd(nowMs: number, startedMs: number): number | undefined {
    const own = this.#done - this.#inherited;
    const toDo = this.total - this.#inherited;
    const left = this.total - this.#done;
    const tookMs = nowMs - startedMs;
    if (this.#estimatedSeconds === undefined) {
      return own >= leastShare * toDo ? nowMs + (left * tookMs) / own : undefined;
    }
    const plannedMs = 1000 * this.#estimatedSeconds * (toDo / this.total);
    if (own === 0) return startedMs + plannedMs;
    return nowMs + (left * (tookMs + planShare * plannedMs)) / (own + planShare * toDo);
  }

  #remaining(nowMs: number): { readonly remainingSeconds?: number } {
    return this.#endsMs === undefined ? {} : { remainingSeconds: Math.max(0, (this.#endsMs - nowMs) / 1000) };
  }
}
