import { TransientError } from '../contracts/errors.ts';

export interface CircuitBreakerOptions {
  /** Faults in a row that open the circuit. */
  readonly faultsToOpen: number;
  /** How long it stays open before one call may try again. */
  readonly pauseMs: number;
  /** Told when the circuit opens, with the last fault, and when it closes again. */
  readonly onOpened?: (fault: unknown) => void;
  readonly onClosed?: () => void;
}

type State =
  | { readonly kind: 'closed'; readonly faults: number }
  | { readonly kind: 'open'; readonly until: number }
  | { readonly kind: 'probing' };

/**
 * Keeps callers from waiting for a service that is down. Closed: calls pass, and faults in a row are counted. Open: calls are
 * refused at once. After the pause one call probes: it closes the circuit, or opens it for another pause.
 * Time is the machine's steady clock, so that a change of the date has no effect.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #state: State = { kind: 'closed', faults: 0 };

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** The result of the call; `TransientError` at once while the circuit is open. */
  async run<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.#state.kind === 'probing' || (this.#state.kind === 'open' && performance.now() < this.#state.until)) {
      throw new TransientError('the circuit is open: the last calls failed, the next try comes soon');
    }
    const isProbe = this.#state.kind === 'open';
    if (isProbe) this.#state = { kind: 'probing' };
    try {
      const result = await call();
      this.#succeeded(isProbe);
      return result;
    } catch (fault) {
      this.#failed(isProbe, fault);
      throw fault;
    }
  }

  /** A call that began before the circuit opened tells nothing about now. */
  #succeeded(isProbe: boolean): void {
    if (!isProbe && this.#state.kind !== 'closed') return;
    this.#state = { kind: 'closed', faults: 0 };
    if (isProbe) this.#options.onClosed?.();
  }

  #failed(isProbe: boolean, fault: unknown): void {
    if (isProbe) this.#open();
    else if (this.#state.kind === 'closed') {
      const faults = this.#state.faults + 1;
      this.#state = { kind: 'closed', faults };
      if (faults < this.#options.faultsToOpen) return;
      this.#open();
      this.#options.onOpened?.(fault);
    }
  }

  #open(): void {
    this.#state = { kind: 'open', until: performance.now() + this.#options.pauseMs };
  }
}
