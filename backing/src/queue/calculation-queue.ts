import type { CalculationEvent } from '../contracts/event.ts';
import type { CalculationRequest } from '../contracts/message.ts';

/** Lanes, each with its own queue, prefetch and concurrency, so that a long calculation never stands before a short one. */
export const lanes = ['small.quick', 'small.long', 'large'] as const;
export type Lane = (typeof lanes)[number];

/** What the handler decided; the queue alone settles the delivery. A handler that throws means requeue. */
export type Settlement =
  | { readonly kind: 'ack' }
  /** Deliver again after the delay, at most `maxDeliveries` times in all, then dead-letter. */
  | { readonly kind: 'requeue'; readonly delayMs: number }
  | { readonly kind: 'deadLetter'; readonly reason: string };

export interface Delivery {
  /** Not validated yet where it came over a wire: hand it to `parseCalculationRequest`. */
  readonly body: unknown;
  readonly lane: Lane;
  /** 1 on the first delivery. */
  readonly deliveryCount: number;
}

export type DeliveryHandler = (delivery: Delivery) => Promise<Settlement>;

export interface DeadLetter {
  readonly body: unknown;
  readonly lane: Lane;
  readonly reason: string;
}

/**
 * Hands calculation requests to workers: at least once, in no guaranteed order. The rows of the metadata store are the
 * truth; a sweep republishes rows that nobody claimed, so a lost message delays a request and never loses it.
 */
export interface CalculationQueue {
  /** Resolves when the queue has accepted the message. `CapacityError` when it is full, `TransientError` when unreachable. */
  publish(lane: Lane, request: CalculationRequest): Promise<void>;
  /**
   * Tell other systems what became of a request. Nobody in this service depends on it: on `TransientError` log it and go on. Resolves
   * when the broker has the event; without a broker there is nobody to tell, and it only checks the event.
   */
  announce(event: CalculationEvent): Promise<void>;
  /** Start handling one lane with at most `prefetchCount` deliveries unsettled at once. */
  consume(lane: Lane, prefetchCount: number, handler: DeliveryHandler): Promise<void>;
  /** The most recent dead letters, newest first, at most `limit`. */
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;
  ping(): Promise<void>;
  /** Stop delivering, wait up to `drainMs` for handlers under way, then close. */
  close(drainMs: number): Promise<void>;
}
