/** Phases of a run in order; `waiting` only where runs share a budget that others have taken; `emit` overlaps with whatever consumes the digits. */
export type ProgressPhase = 'waiting' | 'sieve' | 'product' | 'decimal' | 'emit';

/** One progress event. `done` never decreases within a run and reaches `total` at its end. */
export interface Progress {
  readonly phase: ProgressPhase;
  /** Work units finished over all phases, 0…total. */
  readonly done: number;
  /** Work units of the whole run; constant within a run. */
  readonly total: number;
  /** Seconds until the end, by the time that the work so far took; absent until there is some. */
  readonly remainingSeconds?: number;
  /** In words, what a run in the phase `waiting` waits for. */
  readonly reason?: string;
}

export type ProgressListener = (progress: Progress) => void;
