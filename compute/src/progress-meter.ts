import type { ProgressListener, ProgressPhase } from './progress.ts';

/** Counts the work of one run and tells the listener; `done` only grows, and reaches `total` by `finish`, not before. */
export class ProgressMeter {
  readonly total: number;
  readonly #listener: ProgressListener | undefined;
  #done = 0;

  /** Restrictions: 1 ≤ total < 2^53, an integer. */
  constructor(total: number, listener: ProgressListener | undefined) {
    this.total = total;
    this.#listener = listener;
  }

  /** Report `units` more of finished work; units beyond the announced total are not counted. */
  advance(phase: ProgressPhase, units: number): void {
    this.#done = Math.min(this.#done + units, this.total - 1);
    this.#listener?.({ phase, done: Math.floor(this.#done), total: this.total });
  }

  /** Report that nothing is done yet, and why. */
  wait(reason: string): void {
    this.#listener?.({ phase: 'waiting', done: Math.floor(this.#done), total: this.total, reason });
  }

  finish(): void {
    this.#done = this.total;
    this.#listener?.({ phase: 'emit', done: this.total, total: this.total });
  }
}
