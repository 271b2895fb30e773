import type { StoredProgress } from '../metadata/metadata-store.ts';

/** Below this share of the work, and before this much of it was watched, its pace says too little. */
const leastShare = 0.02;
const leastMs = 500;

/**
 * Seconds until a run ends, by the pace of its work so far: work units are of about equal length. The pace counts from the first report of work that is
 * not waiting, so that neither a wait nor what an earlier process had done already makes it seem slow or quick.
 */
export class TimeLeft {
  #start: { readonly ms: number; readonly done: number } | undefined;

  /** Undefined while nothing is known. `nowMs` is of a monotonic clock. */
  secondsLeft({ phase, done, total }: StoredProgress, nowMs: number): number | undefined {
    if (phase === 'waiting') return undefined;
    this.#start ??= { ms: nowMs, done };
    const watched = done - this.#start.done;
    const elapsedMs = nowMs - this.#start.ms;
    if (watched < leastShare * total || elapsedMs < leastMs) return undefined;
    return Math.round((elapsedMs / watched) * (total - done)) / 1000;
  }
}
