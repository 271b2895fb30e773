/** The part of a logger that the cache uses. */
export interface FaultLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

/** A fault that repeats is told again after this time at the earliest. */
const repeatMs = 60_000;

/** Tells each outage once however many calls it fails, so that a dead cache cannot flood the log. */
export class FaultLog {
  readonly #logger: FaultLogger | undefined;
  #lastFaultAt = Number.NEGATIVE_INFINITY;
  #lastSettingsProblem: string | undefined;

  constructor(logger: FaultLogger | undefined) {
    this.#logger = logger;
  }

  /** Any fault of a call; the first, and then at most one a minute. */
  fault(fault: unknown): void {
    const now = performance.now();
    if (now - this.#lastFaultAt < repeatMs) return;
    this.#lastFaultAt = now;
    this.#logger?.warn({ reason: messageOf(fault) }, 'the cache did not serve a call: it counts as a miss');
  }

  opened(fault: unknown): void {
    this.#logger?.warn({ reason: messageOf(fault) }, 'the cache is left alone for a while: everything is a miss');
  }

  closed(): void {
    this.#lastFaultAt = Number.NEGATIVE_INFINITY;
    this.#logger?.info({}, 'the cache serves again');
  }

  /** The settings of the server as found on a new connection; a problem is told once, until it changes. */
  settings(problem: string | undefined): void {
    if (problem !== undefined && problem !== this.#lastSettingsProblem) {
      this.#logger?.warn({ reason: problem }, 'the settings of the cache server do not suit a cache');
    }
    this.#lastSettingsProblem = problem;
  }
}

function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}
