import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { withDeadline } from '../../contracts/deadline.ts';
import { TransientError } from '../../contracts/errors.ts';
import { BrokerConnection } from './broker-connection.ts';
import { type RabbitmqSettings, reconnectTimes } from './rabbitmq-options.ts';
import { openChannel, type Topology } from './topology.ts';

export interface LaneConsumerOptions {
  readonly settings: RabbitmqSettings;
  readonly topology: Topology;
  readonly queue: string;
  readonly prefetchCount: number;
  /** Deal with one delivery; `return` gives it back to the broker at once. Must not reject. */
  readonly handle: (message: ConsumeMessage) => Promise<'ack' | 'return'>;
}

interface Delivered {
  readonly channel: Channel;
  readonly message: ConsumeMessage;
}

/**
 * Consumes one queue over a connection of its own, so that whatever ends the consumer (a lost connection, a channel closed for a fault or
 * the consumer timeout, `basic.cancel` after its queue was deleted) has one remedy: connect again, declare, consume.
 *
 * A delivery: delivered → waiting → handled → settled on the channel it came on. When that channel is gone the broker has it back
 * already and delivers it again. Invariant: at most `prefetchCount` handlers run, those of lost channels included.
 */
export class LaneConsumer {
  readonly #options: LaneConsumerOptions;
  readonly #connection: BrokerConnection;
  readonly #running = new Set<Promise<void>>();
  /** At most `prefetchCount`: the broker sends no more unsettled ones. */
  #waiting: Delivered[] = [];
  #channel: Channel | undefined;
  #consumerTag = '';
  #renewal: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();
  #lastDeliveryMs = 0;
  #draining = false;

  constructor(options: LaneConsumerOptions) {
    const { settings } = options;
    this.#options = options;
    this.#connection = new BrokerConnection({
      url: settings.url,
      name: `consumer of ${options.queue}`,
      connectTimeoutMs: settings.connectTimeoutMs,
      reconnect: reconnectTimes(settings),
      prepare: (model) => this.#prepare(model),
      onFault: settings.onFault,
    });
  }

  start(): void {
    this.#connection.start();
  }

  /** Resolves once the broker delivers to this consumer; `TransientError` when that takes longer. */
  async whenConsuming(timeoutMs: number): Promise<void> {
    await this.#connection.whenOpen(timeoutMs);
  }

  /** Take no more deliveries, wait for handlers up to `drainMs`, then close. What was not settled is delivered again. */
  async close(drainMs: number, closeMs: number): Promise<void> {
    this.#draining = true;
    clearInterval(this.#renewal);
    await this.#renewing;
    await this.#cancel(closeMs);
    for (const delivered of this.#waiting.splice(0)) this.#settle(delivered, 'return');
    const handlers = Promise.all(this.#running);
    let drained = true;
    await withDeadline(handlers, drainMs, 'the end of every handler').catch((fault) => {
      drained = false;
      this.#options.settings.onFault(fault);
    });
    // Without a channel a late handler settles nothing.
    if (!drained) this.#channel = undefined;
    await this.#connection.close(closeMs);
  }

  async #cancel(closeMs: number): Promise<void> {
    const channel = this.#channel;
    if (!channel) return;
    try {
      const cancelled = channel.cancel(this.#consumerTag);
      await withDeadline(cancelled, closeMs, 'the end of the consumer');
    } catch (fault) {
      this.#options.settings.onFault(fault);
    }
  }

  async #prepare(model: ChannelModel): Promise<void> {
    const { topology, queue } = this.#options;
    this.#channel = undefined;
    await topology.declare(model);
    const channel = await this.#open(model);
    this.#channel = channel;
    await this.#subscribe(channel);
    clearInterval(this.#renewal);
    this.#renewal = setInterval(() => {
      this.#renewing = this.#renew(model);
    }, this.#options.settings.consumerRenewMs).unref();
    // It may have been cancelled in the same breath.
    if (this.#channel !== channel) throw new TransientError(`the consumer of ${queue} was cancelled at its start`);
  }

  async #open(model: ChannelModel): Promise<Channel> {
    const channel = await openChannel(model);
    channel.on('error', (fault) => this.#lose(channel, fault));
    channel.on('close', () => this.#lose(channel, new TransientError('the channel was closed')));
    // Per consumer: 4.3 refuses the global kind.
    await channel.prefetch(this.#options.prefetchCount, false);
    return channel;
  }

  async #subscribe(channel: Channel): Promise<void> {
    const { consumerTag } = await channel.consume(this.#options.queue, (message) => this.#accept(channel, message));
    this.#consumerTag = consumerTag;
  }

  /**
   * Subscribe anew when there is nothing to do. A queue that is deleted and declared again at once can leave its consumers behind, without
   * a word of the broker (see `ConfirmedPublisher`); they look like consumers of an empty queue.
   */
  async #renew(model: ChannelModel): Promise<void> {
    const { consumerRenewMs, connectTimeoutMs } = this.#options.settings;
    const channel = this.#channel;
    const wasServed = performance.now() - this.#lastDeliveryMs < consumerRenewMs;
    if (!channel || this.#draining || this.#isBusy() || wasServed) return;
    try {
      await withDeadline(this.#resubscribe(channel, model), connectTimeoutMs, 'a new subscription');
    } catch (fault) {
      this.#lose(channel, fault as Error);
    }
  }

  /** On a new channel: the broker keeps what it knew of the queue that was deleted as long as the channel lives. */
  async #resubscribe(channel: Channel, model: ChannelModel): Promise<void> {
    await channel.cancel(this.#consumerTag);
    // A delivery that came with the cancellation is settled on the channel it came on.
    if (this.#isBusy()) return await this.#subscribe(channel);
    const fresh = await this.#open(model);
    if (this.#channel !== channel || this.#draining) return await fresh.close();
    this.#channel = fresh;
    await channel.close();
    await this.#subscribe(fresh);
  }

  #isBusy(): boolean {
    return this.#running.size > 0 || this.#waiting.length > 0;
  }

  #accept(channel: Channel, message: ConsumeMessage | null): void {
    if (message === null) {
      this.#lose(channel, new TransientError(`the broker cancelled the consumer of ${this.#options.queue}`));
      return;
    }
    if (this.#draining) {
      this.#settle({ channel, message }, 'return');
      return;
    }
    this.#lastDeliveryMs = performance.now();
    this.#waiting.push({ channel, message });
    this.#deliver();
  }

  #deliver(): void {
    while (this.#running.size < this.#options.prefetchCount) {
      const delivered = this.#waiting.shift();
      if (!delivered) return;
      const running = this.#handle(delivered).finally(() => {
        this.#running.delete(running);
        this.#deliver();
      });
      this.#running.add(running);
    }
  }

  async #handle(delivered: Delivered): Promise<void> {
    this.#settle(delivered, await this.#options.handle(delivered.message));
  }

  #settle({ channel, message }: Delivered, outcome: 'ack' | 'return'): void {
    if (this.#channel !== channel) return;
    try {
      if (outcome === 'ack') channel.ack(message);
      else channel.nack(message, false, true);
    } catch (fault) {
      // The channel is closing: its event follows, and the broker delivers again.
      this.#options.settings.onFault(fault);
    }
  }

  #lose(channel: Channel, fault: Error): void {
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    clearInterval(this.#renewal);
    this.#waiting = [];
    if (!this.#draining) this.#connection.restart(fault);
  }
}
