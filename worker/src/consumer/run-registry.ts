import { setTimeout as delay } from 'node:timers/promises';
import type { Lane } from '@factorial/backing';

/** The right to run one calculation of a lane; given back exactly once. */
export interface Place {
  leave(): void;
}

/**
 * The calculations this worker runs, at most so many per lane: memory was divided among them. The queue's prefetch alone does not bound
 * them, because a long one is acknowledged when it is claimed and goes on without its message.
 */
export class RunRegistry {
  readonly #free: Record<Lane, number>;
  readonly #waiting = new Set<() => void>();
  readonly #detached = new Set<Promise<void>>();

  constructor(places: Readonly<Record<Lane, number>>) {
    this.#free = { ...places };
  }

  /** A place in the lane, or undefined when none got free within `waitMs`, or the signal aborted. */
  async enter(lane: Lane, waitMs: number, signal: AbortSignal): Promise<Place | undefined> {
    const deadline = performance.now() + waitMs;
    while (this.#free[lane] === 0) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 || signal.aborted) return undefined;
      await this.#change(leftMs, signal);
    }
    if (signal.aborted) return undefined;
    this.#free[lane] -= 1;
    return {
      leave: () => {
        this.#free[lane] += 1;
        for (const wake of this.#waiting) wake();
      },
    };
  }

  /** Resolves at the next `leave`, after the time, or at the abort. */
  async #change(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const wake = (): void => over.abort();
    this.#waiting.add(wake);
    try {
      await delay(ms, undefined, { signal: AbortSignal.any([signal, over.signal]) });
    } catch (error) {
      if (!signal.aborted && !over.signal.aborted) throw error;
    } finally {
      this.#waiting.delete(wake);
    }
  }

  /** Keep count of a run that goes on without a message. It must not reject. */
  detach(run: Promise<void>): void {
    const counted = run.finally(() => this.#detached.delete(counted));
    this.#detached.add(counted);
  }

  /** Resolves when no detached run is left, or after `waitMs`. */
  async idle(waitMs: number): Promise<void> {
    if (this.#detached.size === 0) return;
    const over = new AbortController();
    const timeout = delay(waitMs, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([Promise.all(this.#detached), timeout]);
    over.abort();
  }
}
