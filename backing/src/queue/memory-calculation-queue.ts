import { InputError } from '@factorial/compute';
import { TransientError } from '../contracts/errors.ts';
import { type CalculationEvent, parseCalculationEvent } from '../contracts/event.ts';
import { type CalculationRequest, parseCalculationRequest } from '../contracts/message.ts';
import { maxTimerMs, positiveInteger } from '../contracts/positive-integer.ts';
import {
  type CalculationQueue,
  type DeadLetter,
  type DeliveryHandler,
  type Lane,
  lanes,
  type Settlement,
} from './calculation-queue.ts';
import { LaneQueue, type Waiting } from './lane-queue.ts';

export interface MemoryCalculationQueueOptions {
  /** Messages that may wait in one lane. Default 10,000. */
  readonly maxLength?: number;
  /** Deliveries of one message before it is dead-lettered. Default 20. */
  readonly maxDeliveries?: number;
  /** Dead letters remembered; the oldest go first. Default 1,000. */
  readonly maxDeadLetters?: number;
  /** Delay before a message whose handler threw is delivered again. Default 1,000. */
  readonly retryDelayMs?: number;
  /** Longest delay a handler may ask for; a longer one is cut to this. Default 3,600,000. */
  readonly maxDelayMs?: number;
}

interface Consumer {
  readonly prefetchCount: number;
  readonly handler: DeliveryHandler;
}

/**
 * The queue inside this process. Its messages are gone with the process: the unclaimed rows of the metadata store are the
 * durable queue, and the sweep publishes them again.
 *
 * A message: published → ready → delivered → acknowledged | delayed → ready … | dead letter. Only `#settle` ends a delivery.
 */
export function createMemoryCalculationQueue(options: MemoryCalculationQueueOptions = {}): CalculationQueue {
  return new MemoryCalculationQueue({
    maxLength: positiveInteger('maxLength', options.maxLength ?? 10_000),
    maxDeliveries: positiveInteger('maxDeliveries', options.maxDeliveries ?? 20),
    maxDeadLetters: positiveInteger('maxDeadLetters', options.maxDeadLetters ?? 1_000),
    retryDelayMs: positiveInteger('retryDelayMs', options.retryDelayMs ?? 1_000, maxTimerMs),
    maxDelayMs: positiveInteger('maxDelayMs', options.maxDelayMs ?? 3_600_000, maxTimerMs),
  });
}

class MemoryCalculationQueue implements CalculationQueue {
  readonly #options: Required<MemoryCalculationQueueOptions>;
  readonly #lanes: ReadonlyMap<Lane, LaneQueue>;
  readonly #consumers = new Map<Lane, Consumer>();
  readonly #unsettled = new Map<Lane, Set<Promise<void>>>(lanes.map((lane) => [lane, new Set()]));
  readonly #deadLetters: DeadLetter[] = [];
  #closed = false;

  constructor(options: Required<MemoryCalculationQueueOptions>) {
    this.#options = Object.freeze(options);
    this.#lanes = new Map(lanes.map((lane) => [lane, new LaneQueue(options.maxLength, () => this.#deliver(lane))]));
  }

  async publish(lane: Lane, request: CalculationRequest): Promise<void> {
    this.#assertOpen();
    this.#laneQueue(lane).add(parseCalculationRequest(request));
  }

  /** Other systems listen on a broker; inside this process nobody does. */
  async announce(event: CalculationEvent): Promise<void> {
    this.#assertOpen();
    parseCalculationEvent(event);
  }

  async consume(lane: Lane, prefetchCount: number, handler: DeliveryHandler): Promise<void> {
    this.#assertOpen();
    positiveInteger('prefetchCount', prefetchCount);
    this.#laneQueue(lane);
    if (this.#consumers.has(lane)) throw new InputError('one consumer per lane', `a second one for ${lane}`);
    this.#consumers.set(lane, { prefetchCount, handler });
    this.#deliver(lane);
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return this.#deadLetters.slice(-positiveInteger('limit', limit)).reverse();
  }

  async ping(): Promise<void> {
    this.#assertOpen();
  }

  async close(drainMs: number): Promise<void> {
    this.#closed = true;
    for (const queue of this.#lanes.values()) queue.clear();
    const unsettled = [...this.#unsettled.values()].flatMap((deliveries) => [...deliveries]);
    if (unsettled.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    await Promise.race([Promise.all(unsettled), timeout]);
    clearTimeout(timer);
  }

  #deliver(lane: Lane): void {
    const consumer = this.#consumers.get(lane);
    const unsettled = this.#unsettled.get(lane);
    if (!consumer || !unsettled) return;
    while (!this.#closed && unsettled.size < consumer.prefetchCount) {
      const message = this.#laneQueue(lane).take();
      if (!message) return;
      // Handled one turn later, when it counts as unsettled: a handler may publish at once.
      const delivery = Promise.resolve()
        .then(() => this.#handle(lane, consumer.handler, message))
        .finally(() => {
          unsettled.delete(delivery);
          this.#deliver(lane);
        });
      unsettled.add(delivery);
    }
  }

  async #handle(lane: Lane, handler: DeliveryHandler, message: Waiting): Promise<void> {
    const deliveryCount = message.deliveries + 1;
    let settlement: Settlement;
    let cause = 'the handler asked for it again';
    try {
      settlement = await handler({ body: message.request, lane, deliveryCount });
    } catch (fault) {
      cause = `the handler threw ${String(fault)}`;
      settlement = { kind: 'requeue', delayMs: this.#options.retryDelayMs };
    }
    this.#settle(lane, { request: message.request, deliveries: deliveryCount }, settlement, cause);
  }

  #settle(lane: Lane, message: Waiting, settlement: Settlement, cause: string): void {
    if (settlement.kind === 'ack') return;
    if (settlement.kind === 'deadLetter') {
      this.#bury({ body: message.request, lane, reason: settlement.reason });
    } else if (message.deliveries >= this.#options.maxDeliveries) {
      this.#bury({
        body: message.request,
        lane,
        reason: `delivered ${message.deliveries} times; at the last, ${cause}`,
      });
    } else if (!this.#closed) {
      const delayMs = Math.min(Math.max(0, settlement.delayMs), this.#options.maxDelayMs);
      this.#laneQueue(lane).addDelayed(message, delayMs);
    }
  }

  #bury(letter: DeadLetter): void {
    this.#deadLetters.push(Object.freeze(letter));
    if (this.#deadLetters.length > this.#options.maxDeadLetters) this.#deadLetters.shift();
  }

  #laneQueue(lane: Lane): LaneQueue {
    const queue = this.#lanes.get(lane);
    if (!queue) throw new InputError(`a lane out of ${lanes.join(', ')}`, String(lane));
    return queue;
  }

  #assertOpen(): void {
    if (this.#closed) throw new TransientError('the calculation queue is closed');
  }
}
