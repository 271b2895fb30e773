import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { withDeadline } from '../../contracts/deadline.ts';
import { CapacityError, TransientError } from '../../contracts/errors.ts';
import { BrokerConnection } from './broker-connection.ts';
import { type RabbitmqSettings, reconnectTimes } from './rabbitmq-options.ts';
import type { Topology } from './topology.ts';
import type { WireMessage } from './wire-message.ts';

export interface Route {
  readonly exchange: string;
  readonly routingKey: string;
  /** Whether a message that no queue takes is an error. */
  readonly mandatory: boolean;
}

const nackMessage = 'message nacked';
/**
 * RabbitMQ 3.10 leaves the consumers of a deleted quorum queue hanging, without `basic.cancel`, when a queue of the same name is declared
 * within some tens of milliseconds: seen at 20 … 80 ms in 11 of 12 tries, never at 200 ms.
 */
const redeclareDelayMs = 500;
/** A returned message is sent once more after the topology was declared anew. */
const maxSends = 2;

/**
 * Publishes over one connection with one confirm channel: a message counts as published when the broker confirmed that every queue
 * it was routed to has it. Bounds: `publishTimeoutMs` per message, `maxUnconfirmed` messages at once.
 */
export class ConfirmedPublisher {
  readonly connection: BrokerConnection;
  readonly #settings: RabbitmqSettings;
  readonly #topology: Topology;
  readonly #returned = new Map<string, string>();
  #channel: ConfirmChannel | undefined;
  #redeclaring: Promise<void> | undefined;
  #unconfirmed = 0;

  constructor(settings: RabbitmqSettings, topology: Topology) {
    this.#settings = settings;
    this.#topology = topology;
    this.connection = new BrokerConnection({
      url: settings.url,
      name: `${settings.exchange} publisher`,
      connectTimeoutMs: settings.connectTimeoutMs,
      reconnect: reconnectTimes(settings),
      prepare: (model) => this.#prepare(model),
      onFault: settings.onFault,
    });
  }

  /** `CapacityError` when a queue is full, `TransientError` when the message is not known to be stored: it may be, or not. */
  async publish(route: Route, message: WireMessage): Promise<void> {
    const { publishTimeoutMs, maxUnconfirmed } = this.#settings;
    if (this.#unconfirmed >= maxUnconfirmed) {
      throw new TransientError(`expected fewer than ${maxUnconfirmed} unconfirmed messages, got as many: try later`);
    }
    // Counted until the broker answers or the connection ends, also when the caller is told to try again before that.
    this.#unconfirmed += 1;
    const sending = this.#send(route, message).finally(() => {
      this.#unconfirmed -= 1;
    });
    try {
      await withDeadline(sending, publishTimeoutMs, "the broker's confirmation");
    } catch (fault) {
      const isUnreachable = fault instanceof TransientError && fault.cause === undefined && !this.connection.isOpen;
      throw isUnreachable ? this.connection.unreachable(publishTimeoutMs) : fault;
    }
  }

  async #send(route: Route, message: WireMessage): Promise<void> {
    const deadline = performance.now() + this.#settings.publishTimeoutMs;
    for (let sends = 1; ; sends++) {
      const model = await this.connection.whenOpen(deadline - performance.now());
      const returned = await this.#sendOnce(route, message);
      if (returned === undefined) return;
      if (sends === maxSends || performance.now() > deadline) {
        throw new TransientError(`expected a queue for ${route.routingKey}, got the message back: ${returned}`);
      }
      await this.#redeclare(model);
    }
  }

  /** Resolves once confirmed; to the broker's words when no queue took the message. */
  #sendOnce(
    { exchange, routingKey, mandatory }: Route,
    { content, properties }: WireMessage,
  ): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const { blockedBecause } = this.connection;
      if (blockedBecause !== undefined) throw new TransientError(`the broker blocks publishers: ${blockedBecause}`);
      const channel = this.#channel;
      if (!channel) throw new TransientError('the connection to the message broker was just lost');
      const messageId = String(properties.messageId);
      const onConfirm = (fault: Error | null) => {
        const returned = this.#returned.get(messageId);
        this.#returned.delete(messageId);
        if (fault) reject(publishFault(fault, routingKey));
        else resolve(returned);
      };
      try {
        channel.publish(exchange, routingKey, content, { ...properties, mandatory }, onConfirm);
      } catch (fault) {
        reject(publishFault(fault as Error, routingKey));
      }
    });
  }

  async #prepare(model: ChannelModel): Promise<void> {
    this.#channel = undefined;
    this.#returned.clear();
    await this.#topology.declare(model);
    const channel = await model.createConfirmChannel();
    channel.on('error', (fault) => this.connection.restart(fault));
    channel.on('close', () => {
      if (this.#channel !== channel) return;
      this.#channel = undefined;
      this.connection.restart(new TransientError('the publishing channel was closed'));
    });
    channel.on('return', ({ fields, properties }) => {
      const { replyText } = fields as unknown as { readonly replyText: string };
      this.#returned.set(String(properties.messageId), replyText);
    });
    this.#channel = channel;
  }

  /** Somebody deleted a queue or binding: make it again, once for all who noticed. */
  async #redeclare(model: ChannelModel): Promise<void> {
    this.#redeclaring ??= sleep(redeclareDelayMs)
      .then(() => this.#topology.declare(model))
      .finally(() => {
        this.#redeclaring = undefined;
      });
    try {
      await this.#redeclaring;
    } catch (fault) {
      throw new TransientError('the queues could not be declared anew', { cause: fault });
    }
  }
}

function publishFault(fault: Error, routingKey: string): Error {
  if (fault.message === nackMessage) {
    return new CapacityError(`expected room in the queue of ${routingKey}, got a refusal by the broker: try later`, {
      cause: fault,
    });
  }
  return new TransientError(`the message was not confirmed: ${fault.message}`, { cause: fault });
}
