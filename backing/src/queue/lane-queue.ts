import { CapacityError } from '../contracts/errors.ts';
import type { CalculationRequest } from '../contracts/message.ts';

/** A message and how often it was delivered so far. */
export interface Waiting {
  readonly request: CalculationRequest;
  readonly deliveries: number;
}

/**
 * The messages of one lane that wait, now or after a delay, at most one per n. A message that comes back while the same n
 * waits already melts into it. Pure bookkeeping: no handler, no settlement.
 */
export class LaneQueue {
  readonly #ready = new Map<string, Waiting>();
  readonly #delayed = new Map<string, { readonly message: Waiting; readonly timer: NodeJS.Timeout }>();
  readonly #maxLength: number;
  readonly #onReady: () => void;

  /** `onReady` is called whenever a message becomes ready. */
  constructor(maxLength: number, onReady: () => void) {
    this.#maxLength = maxLength;
    this.#onReady = onReady;
  }

  get length(): number {
    return this.#ready.size + this.#delayed.size;
  }

  /** Accept a new message, or let it melt into the waiting one of its n. `CapacityError` at `maxLength`. */
  add(request: CalculationRequest): void {
    const { number } = request;
    const incoming = { request, deliveries: 0 };
    const ready = this.#ready.get(number);
    if (ready) {
      this.#ready.set(number, merge(ready, incoming));
      return;
    }
    if (this.#meltIntoDelayed(incoming)) return;
    if (this.length >= this.#maxLength) {
      throw new CapacityError(
        `expected fewer than ${this.#maxLength} waiting calculations in this lane, got a full queue: try later`,
      );
    }
    this.#ready.set(number, incoming);
    this.#onReady();
  }

  /** Take a delivered message back; it was counted already, so this never refuses. A ready one of its n waits with it. */
  addDelayed(message: Waiting, delayMs: number): void {
    const { number } = message.request;
    const ready = this.#ready.get(number);
    this.#ready.delete(number);
    const merged = ready ? merge(ready, message) : message;
    if (this.#meltIntoDelayed(merged)) return;
    const timer = setTimeout(() => this.#makeReady(number), delayMs);
    this.#delayed.set(number, { message: merged, timer });
  }

  /** The message that waited longest among the ready ones. */
  take(): Waiting | undefined {
    for (const [number, message] of this.#ready) {
      this.#ready.delete(number);
      return message;
    }
    return undefined;
  }

  clear(): void {
    for (const { timer } of this.#delayed.values()) clearTimeout(timer);
    this.#delayed.clear();
    this.#ready.clear();
  }

  #makeReady(number: string): void {
    const delayed = this.#delayed.get(number);
    this.#delayed.delete(number);
    if (delayed) this.#ready.set(number, delayed.message);
    this.#onReady();
  }

  #meltIntoDelayed(incoming: Waiting): boolean {
    const { number } = incoming.request;
    const delayed = this.#delayed.get(number);
    if (delayed) this.#delayed.set(number, { message: merge(delayed.message, incoming), timer: delayed.timer });
    return delayed !== undefined;
  }
}

/** Keeps the newer attempt and, within one attempt, the larger count: melting never forgets how often it was delivered. */
function merge(waiting: Waiting, incoming: Waiting): Waiting {
  if (incoming.request.attempt > waiting.request.attempt) return incoming;
  if (incoming.request.attempt < waiting.request.attempt) return waiting;
  return { request: waiting.request, deliveries: Math.max(waiting.deliveries, incoming.deliveries) };
}
