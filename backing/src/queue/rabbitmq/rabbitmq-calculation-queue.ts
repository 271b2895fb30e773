import { InputError } from '@factorial/compute';
import type { ConsumeMessage } from 'amqplib';
import { withDeadline } from '../../contracts/deadline.ts';
import { TransientError } from '../../contracts/errors.ts';
import { type CalculationEvent, parseCalculationEvent } from '../../contracts/event.ts';
import { type CalculationRequest, parseCalculationRequest } from '../../contracts/message.ts';
import { positiveInteger } from '../../contracts/positive-integer.ts';
import {
  type CalculationQueue,
  type DeadLetter,
  type DeliveryHandler,
  type Lane,
  lanes,
  type Settlement,
} from '../calculation-queue.ts';
import { ConfirmedPublisher } from './confirmed-publisher.ts';
import { peekDeadLetters } from './dead-letter-queue.ts';
import { LaneConsumer } from './lane-consumer.ts';
import { type RabbitmqCalculationQueueOptions, type RabbitmqSettings, rabbitmqSettings } from './rabbitmq-options.ts';
import { closeChannel, laneRoutingKey, openChannel, Topology } from './topology.ts';
import {
  decodeRequest,
  delayed,
  deliveryCountOf,
  encodeDeadLetter,
  encodeEvent,
  encodeRequest,
  type WireMessage,
} from './wire-message.ts';

/** Bound on every step of closing that waits for the broker. */
const closeStepMs = 1_000;

/**
 * The queue on RabbitMQ 3.10 to 4.x. Connects when it is first used, and again after every loss.
 *
 * A message: published (confirmed) → delivered → acknowledged | published again behind its delay, then acknowledged | published as a dead
 * letter, then acknowledged. Publishing comes before acknowledging, so a crash between doubles a message and never loses it.
 */
export function createRabbitmqCalculationQueue(options: RabbitmqCalculationQueueOptions): CalculationQueue {
  return new RabbitmqCalculationQueue(rabbitmqSettings(options));
}

class RabbitmqCalculationQueue implements CalculationQueue {
  readonly #settings: RabbitmqSettings;
  readonly #topology: Topology;
  readonly #publisher: ConfirmedPublisher;
  readonly #consumers = new Map<Lane, LaneConsumer>();
  readonly #closing = new AbortController();
  #peeking: Promise<unknown> = Promise.resolve();

  constructor(settings: RabbitmqSettings) {
    this.#settings = settings;
    this.#topology = new Topology(settings);
    this.#publisher = new ConfirmedPublisher(settings, this.#topology);
  }

  async publish(lane: Lane, request: CalculationRequest): Promise<void> {
    this.#assertOpen();
    assertLane(lane);
    await this.#publishTo(this.#topology.exchanges.main, lane, encodeRequest(parseCalculationRequest(request), 0));
  }

  async announce(event: CalculationEvent): Promise<void> {
    this.#assertOpen();
    const parsed = parseCalculationEvent(event);
    const route = {
      exchange: this.#topology.exchanges.main,
      routingKey: `factorial.${parsed.event}`,
      mandatory: false,
    };
    await this.#publisher.publish(route, encodeEvent(parsed));
  }

  async consume(lane: Lane, prefetchCount: number, handler: DeliveryHandler): Promise<void> {
    this.#assertOpen();
    assertLane(lane);
    positiveInteger('prefetchCount', prefetchCount, 65_535);
    if (this.#consumers.has(lane)) throw new InputError('one consumer per lane', `a second one for ${lane}`);
    const consumer = new LaneConsumer({
      settings: this.#settings,
      topology: this.#topology,
      queue: this.#topology.laneQueue(lane),
      prefetchCount,
      handle: (message) => this.#handle(lane, handler, message),
    });
    this.#consumers.set(lane, consumer);
    consumer.start();
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    this.#assertOpen();
    positiveInteger('limit', limit);
    // One at a time: two readers would share the letters between them.
    const peeking = this.#peeking.then(async () => {
      const { publishTimeoutMs } = this.#settings;
      const model = await this.#publisher.connection.whenOpen(publishTimeoutMs);
      return await peekDeadLetters(model, this.#topology.deadLetterQueue, limit, publishTimeoutMs);
    });
    this.#peeking = peeking.catch(() => undefined);
    try {
      return await withDeadline(peeking, 2 * this.#settings.publishTimeoutMs, 'the dead letters');
    } catch (fault) {
      throw transient('the dead letters could not be read', fault);
    }
  }

  async ping(): Promise<void> {
    this.#assertOpen();
    const { publishTimeoutMs } = this.#settings;
    try {
      await withDeadline(this.#check(publishTimeoutMs), publishTimeoutMs, 'an answer');
    } catch (fault) {
      const { connection } = this.#publisher;
      const why = connection.isOpen ? fault : connection.unreachable(publishTimeoutMs);
      throw transient('the message broker does not serve', why);
    }
  }

  async #check(timeoutMs: number): Promise<void> {
    const { connection } = this.#publisher;
    const model = await connection.whenOpen(timeoutMs);
    if (connection.blockedBecause !== undefined) {
      throw new TransientError(`the broker blocks publishers: ${connection.blockedBecause}`);
    }
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.whenConsuming(timeoutMs)));
    const channel = await openChannel(model);
    await channel.checkExchange(this.#topology.exchanges.main);
    await closeChannel(channel);
  }

  async close(drainMs: number): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close(drainMs, closeStepMs)));
    await this.#publisher.connection.close(closeStepMs);
  }

  async #handle(lane: Lane, handler: DeliveryHandler, message: ConsumeMessage): Promise<'ack' | 'return'> {
    try {
      await this.#settle(lane, message, handler);
      return 'ack';
    } catch (fault) {
      // What should follow the delivery could not be published. Held for a while, so that a broker in need is not asked in a loop.
      this.#settings.onFault(fault);
      await this.#pause(this.#settings.retryDelayMs);
      return 'return';
    }
  }

  /** Let the handler decide, and publish what follows from that. Rejects when it could not be published. */
  async #settle(lane: Lane, message: ConsumeMessage, handler: DeliveryHandler): Promise<void> {
    const { maxDeliveries, maxMessageBytes, retryDelayMs, maxDelayMs } = this.#settings;
    const bury = (reason: string) =>
      this.#publishTo(
        this.#topology.exchanges.dead,
        lane,
        encodeDeadLetter(message.content, lane, reason, maxMessageBytes),
      );
    const deliveryCount = deliveryCountOf(message);
    let request: CalculationRequest;
    try {
      request = decodeRequest(message, maxMessageBytes);
    } catch (fault) {
      return await bury((fault as Error).message);
    }
    if (deliveryCount > maxDeliveries) {
      return await bury(`delivered ${deliveryCount - 1} times; at the last, the worker ended before it settled`);
    }
    let settlement: Settlement;
    let cause = 'the handler asked for it again';
    try {
      settlement = await handler({ body: request, lane, deliveryCount });
    } catch (fault) {
      cause = `the handler threw ${String(fault)}`;
      settlement = { kind: 'requeue', delayMs: retryDelayMs };
    }
    if (settlement.kind === 'ack') return;
    if (settlement.kind === 'deadLetter') return await bury(settlement.reason);
    if (deliveryCount >= maxDeliveries) return await bury(`delivered ${deliveryCount} times; at the last, ${cause}`);
    await this.#publishLater(lane, encodeRequest(request, deliveryCount), Math.min(settlement.delayMs, maxDelayMs));
  }

  async #publishLater(lane: Lane, message: WireMessage, delayMs: number): Promise<void> {
    const tier = this.#topology.retryTier(delayMs);
    await this.#publishTo(this.#topology.exchanges.retry, lane, delayed(message, tier, Math.max(1, delayMs)));
  }

  async #publishTo(exchange: string, lane: Lane, message: WireMessage): Promise<void> {
    await this.#publisher.publish({ exchange, routingKey: laneRoutingKey(lane), mandatory: true }, message);
  }

  /** Ends early when the queue closes. */
  #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new TransientError('the calculation queue is closed');
  }
}

function assertLane(lane: Lane): void {
  if (!lanes.includes(lane)) throw new InputError(`a lane out of ${lanes.join(', ')}`, String(lane));
}

function transient(what: string, fault: unknown): TransientError {
  return new TransientError(`${what}: ${fault instanceof Error ? fault.message : String(fault)}`, { cause: fault });
}
