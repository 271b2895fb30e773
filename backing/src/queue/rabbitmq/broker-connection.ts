import type { Socket } from 'node:net';
import type { ChannelModel } from 'amqplib';
import { withDeadline } from '../../contracts/deadline.ts';
import { TransientError } from '../../contracts/errors.ts';
import { ReconnectBackoff, type ReconnectTimes } from './reconnect-backoff.ts';

export interface BrokerConnectionOptions {
  readonly url: string;
  /** Shown by the broker beside the connection. */
  readonly name: string;
  readonly connectTimeoutMs: number;
  readonly reconnect: ReconnectTimes;
  /** Makes a new connection usable; when it rejects, the connection is given up and another one tried. */
  readonly prepare: (model: ChannelModel) => Promise<void>;
  readonly onFault: (fault: unknown) => void;
}

/**
 * One connection that comes back: unopened → connecting → preparing → open → lost → waiting → connecting … → closed. Every kind of
 * loss (socket, heartbeat, close by the broker, `restart`) ends in the same place: `#serve` returns and `#run` begins anew.
 */
export class BrokerConnection {
  readonly #options: BrokerConnectionOptions;
  readonly #backoff: ReconnectBackoff;
  readonly #waiters = new Set<() => void>();
  #running: Promise<void> | undefined;
  #model: ChannelModel | undefined;
  #open = false;
  #closed = false;
  #blockedBecause: string | undefined;
  #lastFault: unknown;
  #lose: (fault: Error) => void = () => undefined;
  #wake: () => void = () => undefined;

  constructor(options: BrokerConnectionOptions) {
    this.#options = options;
    this.#backoff = new ReconnectBackoff(options.reconnect);
  }

  /** Begin, once; more calls change nothing. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Why the broker takes no messages at the moment, or undefined when it does. */
  get blockedBecause(): string | undefined {
    return this.#blockedBecause;
  }

  /** The connection once it is open and prepared; `TransientError` when that takes longer. */
  async whenOpen(timeoutMs: number): Promise<ChannelModel> {
    this.start();
    const deadline = performance.now() + timeoutMs;
    while (!(this.#open && this.#model)) {
      const leftMs = deadline - performance.now();
      if (this.#closed) throw new TransientError('the connection to the message broker is closed');
      if (leftMs <= 0) throw this.unreachable(timeoutMs);
      await this.#change(leftMs);
    }
    return this.#model;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** What a caller is told that waited this long in vain. */
  unreachable(timeoutMs: number): TransientError {
    const why = this.#lastFault === undefined ? '' : `: ${messageOf(this.#lastFault)}`;
    return new TransientError(
      `expected a connection to the message broker within ${Math.round(timeoutMs)} ms, got none${why}`,
      {
        cause: this.#lastFault,
      },
    );
  }

  /** Give this connection up, for a fault that its owner saw, and make another one. */
  restart(fault: Error): void {
    this.#lose(fault);
  }

  /** Close in good order, by force after `timeoutMs`. No other connection follows. */
  async close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    this.#wake();
    this.#notify();
    const model = this.#model;
    if (!model) return;
    try {
      await withDeadline(model.close(), timeoutMs, 'the end of the connection');
    } catch (fault) {
      this.#options.onFault(fault);
    }
    this.#lose(new TransientError('the connection was closed'));
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const fault = await this.#serve();
      if (this.#closed) return;
      this.#lastFault = fault;
      this.#options.onFault(new TransientError(`${this.#options.name}: ${messageOf(fault)}`, { cause: fault }));
      await this.#pause(this.#backoff.nextMs());
    }
  }

  /** One connection from its beginning to its end. Resolves to what ended it. */
  async #serve(): Promise<unknown> {
    let model: ChannelModel | undefined;
    try {
      model = await this.#connect();
      const lost = this.#watch(model);
      if (this.#closed) return undefined;
      this.#model = model;
      const prepared = this.#options.prepare(model).then(() => undefined);
      const early = await withDeadline(
        Promise.race([prepared, lost]),
        this.#options.connectTimeoutMs,
        'exchanges, queues and channels',
      );
      if (early) return early;
      this.#backoff.connected();
      this.#open = true;
      this.#notify();
      return await lost;
    } catch (fault) {
      return fault;
    } finally {
      this.#open = false;
      this.#model = undefined;
      this.#blockedBecause = undefined;
      // With a fault, so that the library lets go of its channels and timers at once.
      if (model) socketOf(model).destroy(new Error('the connection was given up'));
    }
  }

  async #connect(): Promise<ChannelModel> {
    const { connect } = await import('amqplib');
    const { url, name, connectTimeoutMs } = this.#options;
    return await connect(url, {
      timeout: connectTimeoutMs,
      noDelay: true,
      keepAlive: true,
      clientProperties: { connection_name: name },
    });
  }

  /** Resolves, and never rejects, when the connection is lost. */
  #watch(model: ChannelModel): Promise<Error> {
    return new Promise((resolve) => {
      this.#lose = resolve;
      let reason: Error | undefined;
      model.on('error', (fault) => {
        reason = fault;
      });
      model.on('close', (fault) => resolve(reason ?? fault ?? new Error('the broker closed the connection')));
      model.on('blocked', (why) => {
        this.#blockedBecause = why;
        this.#options.onFault(new TransientError(`the broker blocks publishers: ${why}`));
      });
      model.on('unblocked', () => {
        this.#blockedBecause = undefined;
      });
    });
  }

  /** Resolves at the next change of state, or after `ms`. */
  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiters.add(done);
    });
  }

  #notify(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function messageOf(fault: unknown): string {
  return fault instanceof Error && fault.message !== '' ? fault.message : String(fault);
}

/** The library closes a connection by asking the broker; a broker that does not answer needs the socket itself. */
function socketOf(model: ChannelModel): Socket {
  return (model.connection as unknown as { readonly stream: Socket }).stream;
}
