import type { Progress } from '@factorial/compute';
import { StaleLeaseError } from '../contracts/errors.ts';
import type { Claim, MetadataStore, StoredProgress } from '../metadata/metadata-store.ts';

export interface LeaseTimes {
  readonly leaseMs: number;
  readonly heartbeatMs: number;
}

/**
 * Keeps one claim alive while a calculation runs: renews the lease every `heartbeatMs`, carrying the latest progress, and
 * aborts its signal as soon as the claim is lost (at once when the row is cancelled in this process). A store that does not answer is borne with until the lease must have
 * run out by this process's monotonic clock; then somebody else may own the row and going on would be wasted work.
 */
export class LeaseKeeper implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #metadata: MetadataStore;
  readonly #claim: Claim;
  readonly #times: LeaseTimes;
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  #progress: StoredProgress | undefined;
  #renewing: Promise<void> | undefined;
  #leasedAtMs = performance.now();

  constructor(metadata: MetadataStore, claim: Claim, times: LeaseTimes) {
    this.#metadata = metadata;
    this.#claim = claim;
    this.#times = times;
    this.#timer = setInterval(() => this.#beat(), times.heartbeatMs);
    this.#stopListening = metadata.onCancel((n) => {
      if (n === claim.n) this.#beat();
    });
  }

  /** Aborted with a `StaleLeaseError` once the claim is lost. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Remember the latest progress, and how long the rest will take; both are written with the next heartbeat. */
  report({ remainingSeconds, ...progress }: Progress): void {
    this.#progress =
      remainingSeconds === undefined
        ? progress
        : { ...progress, secondsLeft: Math.round(1000 * remainingSeconds) / 1000 };
  }

  #beat(): void {
    if (this.#renewing !== undefined || this.signal.aborted) return;
    this.#renewing = this.#renew().finally(() => {
      this.#renewing = undefined;
    });
  }

  async #renew(): Promise<void> {
    const startedMs = performance.now();
    try {
      await this.#metadata.renew(this.#claim, this.#times.leaseMs, this.#progress);
      this.#leasedAtMs = startedMs;
    } catch (error) {
      if (error instanceof StaleLeaseError) this.#controller.abort(error);
      else if (performance.now() - this.#leasedAtMs >= this.#times.leaseMs) {
        this.#controller.abort(
          new StaleLeaseError(`the lease on ${this.#claim.n}! ran out unrenewed`, { cause: error }),
        );
      }
    }
  }

  /** Stop renewing; resolves when no renewal is under way any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#stopListening();
    await this.#renewing;
  }
}
