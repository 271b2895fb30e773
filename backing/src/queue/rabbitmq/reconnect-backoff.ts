export interface ReconnectTimes {
  /** Longest wait before the first new try. */
  readonly initialMs: number;
  /** Longest wait before any try. */
  readonly maxMs: number;
  /** A connection that held this long is taken as sound: the next loss starts from `initialMs` again. */
  readonly stableMs: number;
}

/**
 * Waits between tries: doubling from `initialMs` to `maxMs`, each drawn evenly from its upper half so that many clients do not return at
 * one moment. A broker that accepts and drops connections is not hammered: only a stable connection resets the wait.
 */
export class ReconnectBackoff {
  readonly #times: ReconnectTimes;
  readonly #now: () => number;
  #failures = 0;
  #connectedAt: number | undefined;

  constructor(times: ReconnectTimes, now: () => number = () => performance.now()) {
    this.#times = times;
    this.#now = now;
  }

  connected(): void {
    this.#connectedAt = this.#now();
  }

  /** The wait before the next try, in milliseconds. */
  nextMs(): number {
    const { initialMs, maxMs, stableMs } = this.#times;
    if (this.#connectedAt !== undefined && this.#now() - this.#connectedAt >= stableMs) this.#failures = 0;
    this.#connectedAt = undefined;
    const longest = Math.min(maxMs, initialMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return longest * (0.5 + Math.random() * 0.5);
  }
}
