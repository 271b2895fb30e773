import type { Channel, ChannelModel, Options } from 'amqplib';
import { TransientError } from '../../contracts/errors.ts';
import { type Lane, lanes } from '../calculation-queue.ts';
import type { RabbitmqSettings } from './rabbitmq-options.ts';

/** Header by which a message finds the queue in which it waits for its delay. Headers that begin with `x-` are not matched. */
export const retryTierHeader = 'retry-tier';

/** AMQP reply code: the thing exists with other arguments. */
const preconditionFailed = 406;
const tierFactor = 4;
const firstTierMs = 1_000;

export const laneRoutingKey = (lane: Lane): string => `request.${lane}`;

export interface Exchanges {
  /** Topic: requests and events. */
  readonly main: string;
  /** Headers: requests that wait for their delay. */
  readonly retry: string;
  /** Fanout: dead letters. */
  readonly dead: string;
}

/**
 * The exchanges and queues, all durable:
 *
 *     main (topic) ── request.<lane> ──> lane queues (quorum, delivery limit) ── dead ──> dead (fanout) ──> dead letters (bounded)
 *       ^                                                                                      ^
 *       └── expired, under its own routing key ── retry queues, one per tier (quorum, TTL) <── retry (headers)
 */
export class Topology {
  readonly exchanges: Exchanges;
  readonly #settings: RabbitmqSettings;
  readonly #tiersMs: readonly number[];
  /** Mismatches told already: each is told once, not at every reconnection. */
  readonly #told = new Set<string>();

  constructor(settings: RabbitmqSettings) {
    const { exchange } = settings;
    this.#settings = settings;
    this.exchanges = Object.freeze({ main: exchange, retry: `${exchange}.retry`, dead: `${exchange}.dead` });
    this.#tiersMs = retryTiersMs(settings.maxDelayMs);
  }

  laneQueue(lane: Lane): string {
    return `${this.exchanges.main}.${laneRoutingKey(lane)}`;
  }

  get deadLetterQueue(): string {
    return this.exchanges.dead;
  }

  /** Name of the tier in which this delay is waited for: the shortest that holds it. */
  retryTier(delayMs: number): string {
    return String(this.#tiersMs.find((tierMs) => delayMs <= tierMs) ?? this.#settings.maxDelayMs);
  }

  /** Declare everything; what is there already stays as it is, also where its arguments differ (that is reported). */
  async declare(model: ChannelModel): Promise<void> {
    const { main, retry, dead } = this.exchanges;
    const declaration = new Declaration(model);
    try {
      await declaration.run((channel) => channel.assertExchange(main, 'topic', { durable: true }));
      await declaration.run((channel) => channel.assertExchange(retry, 'headers', { durable: true }));
      await declaration.run((channel) => channel.assertExchange(dead, 'fanout', { durable: true }));
      await this.#declareQueue(declaration, this.deadLetterQueue, this.#deadLetterArguments());
      await declaration.run((channel) => channel.bindQueue(this.deadLetterQueue, dead, ''));
      for (const lane of lanes) await this.#declareLane(declaration, lane);
      for (const tierMs of this.#tiersMs) await this.#declareTier(declaration, tierMs);
    } finally {
      await declaration.end();
    }
  }

  async #declareLane(declaration: Declaration, lane: Lane): Promise<void> {
    const { maxLength, maxDeliveries } = this.#settings;
    await this.#declareQueue(declaration, this.laneQueue(lane), {
      ...quorumArguments(maxLength),
      'x-dead-letter-exchange': this.exchanges.dead,
      'x-delivery-limit': maxDeliveries - 1,
    });
    const { main } = this.exchanges;
    await declaration.run((channel) => channel.bindQueue(this.laneQueue(lane), main, laneRoutingKey(lane)));
  }

  async #declareTier(declaration: Declaration, tierMs: number): Promise<void> {
    const { main, retry } = this.exchanges;
    const queue = `${retry}.${tierMs}ms`;
    await this.#declareQueue(declaration, queue, {
      ...quorumArguments(this.#settings.maxLength * lanes.length),
      'x-dead-letter-exchange': main,
      'x-message-ttl': tierMs,
    });
    const match = { 'x-match': 'all', [retryTierHeader]: String(tierMs) };
    await declaration.run((channel) => channel.bindQueue(queue, retry, '', match));
  }

  /** A classic queue: reading a quorum queue without taking counts as deliveries, and 4.x drops what was delivered 20 times. */
  #deadLetterArguments(): Readonly<Record<string, unknown>> {
    return { 'x-queue-type': 'classic', 'x-max-length': this.#settings.maxDeadLetters, 'x-overflow': 'drop-head' };
  }

  /** A queue made by another version or configuration keeps its own bounds: serving goes on, and the operator is told. */
  async #declareQueue(declaration: Declaration, queue: string, queueArguments: Options.AssertQueue['arguments']) {
    try {
      await declaration.run((channel) => channel.assertQueue(queue, { durable: true, arguments: queueArguments }));
    } catch (fault) {
      if (codeOf(fault) !== preconditionFailed) throw fault;
      if (this.#told.has(queue)) return;
      this.#told.add(queue);
      const remedy = 'it is used as it is; delete it while it is empty to have the configured bounds';
      this.#settings.onFault(new TransientError(`queue ${queue}: ${(fault as Error).message}; ${remedy}`));
    }
  }
}

/**
 * Bounded, and full means refused (a negative confirmation), which at-least-once dead-lettering requires too. A quorum queue refuses once
 * it holds more than its bound, hence the 1; messages sent at once may exceed it by as many as are in flight.
 */
function quorumArguments(maxLength: number) {
  return {
    'x-queue-type': 'quorum',
    'x-max-length': maxLength - 1,
    'x-overflow': 'reject-publish',
    'x-dead-letter-strategy': 'at-least-once',
  };
}

/**
 * Upper bounds of the retry queues. Only the head of a queue expires, so delays of one queue should be alike: within a tier the longest
 * is four times the shortest, and a message waits at most the tier's bound.
 */
export function retryTiersMs(maxDelayMs: number): readonly number[] {
  const tiers: number[] = [];
  for (let tierMs = firstTierMs; tierMs < maxDelayMs; tierMs *= tierFactor) tiers.push(tierMs);
  return [...tiers, maxDelayMs];
}

/** A refused declaration closes its channel; the next one goes over a new channel. */
class Declaration {
  readonly #model: ChannelModel;
  #channel: Channel | undefined;

  constructor(model: ChannelModel) {
    this.#model = model;
  }

  async run(operation: (channel: Channel) => Promise<unknown>): Promise<void> {
    this.#channel ??= await openChannel(this.#model);
    try {
      await operation(this.#channel);
    } catch (fault) {
      this.#channel = undefined;
      throw fault;
    }
  }

  async end(): Promise<void> {
    if (this.#channel) await closeChannel(this.#channel);
  }
}

/** A channel whose faults reach whoever awaits its calls; as events alone they would end the process. */
export async function openChannel(model: ChannelModel): Promise<Channel> {
  const channel = await model.createChannel();
  channel.on('error', () => undefined);
  return channel;
}

/** Close in good order. The library's own promise never settles when the connection is lost meanwhile; the channel's event tells. */
export async function closeChannel(channel: Channel): Promise<void> {
  const closed = new Promise<void>((resolve) => channel.once('close', () => resolve()));
  await Promise.race([channel.close(), closed]);
}

/** The AMQP reply code of a fault, if it has one. */
export function codeOf(fault: unknown): unknown {
  return fault instanceof Error && 'code' in fault ? fault.code : undefined;
}
