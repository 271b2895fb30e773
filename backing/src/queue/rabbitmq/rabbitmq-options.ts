import { InputError } from '@factorial/compute';
import { maxTimerMs, positiveInteger } from '../../contracts/positive-integer.ts';
import type { ReconnectTimes } from './reconnect-backoff.ts';

export interface RabbitmqCalculationQueueOptions {
  /** `amqp://` or `amqps://`, with user, password and virtual host. */
  readonly url: string;
  /** Name of the topic exchange, and the beginning of every queue's name. Default `factorial`. */
  readonly exchange?: string;
  /** Messages that may wait in one lane. Default 10,000. */
  readonly maxLength?: number;
  /** Deliveries of one message before it is dead-lettered, those cut short by a crash included. Default 20. */
  readonly maxDeliveries?: number;
  /** Dead letters kept; the oldest go first. Default 1,000. */
  readonly maxDeadLetters?: number;
  /** Delay before a message whose handler threw is delivered again. Default 1,000. */
  readonly retryDelayMs?: number;
  /** Longest delay a handler may ask for; a longer one is cut to this. Default 3,600,000. */
  readonly maxDelayMs?: number;
  /** Largest message taken as a request; anything larger is dead-lettered. Default 16,384. */
  readonly maxMessageBytes?: number;
  /** Longest wait for a connection and the broker's confirmation together. Default 5,000. */
  readonly publishTimeoutMs?: number;
  /** Messages sent and not confirmed at once; more are refused. Default 10,000. */
  readonly maxUnconfirmed?: number;
  /** A connection that is not made, or not prepared, within this time is given up and tried again. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** A broker that is silent for two to three of these is taken as gone. Default 10. */
  readonly heartbeatSeconds?: number;
  /** A consumer without work subscribes anew after this time: one that its broker has forgotten would wait for ever. Default 15,000. */
  readonly consumerRenewMs?: number;
  /** Longest wait before the first try after a loss. Default 100. */
  readonly reconnectInitialMs?: number;
  /** Longest wait between tries. Default 10,000. */
  readonly reconnectMaxMs?: number;
  /** Told of every loss, refusal and mismatch that the queue deals with by itself, for the log. */
  readonly onFault?: (fault: unknown) => void;
}

export type RabbitmqSettings = Readonly<Required<RabbitmqCalculationQueueOptions>>;

/** AMQP names are short strings; this leaves room for the suffixes. */
const exchangePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const maxHeartbeatSeconds = 3_600;

/** The options checked and completed. `InputError` names what is wrong, never the password. */
export function rabbitmqSettings(options: RabbitmqCalculationQueueOptions): RabbitmqSettings {
  const timer = (name: keyof RabbitmqCalculationQueueOptions, fallback: number) =>
    positiveInteger(name, (options[name] as number | undefined) ?? fallback, maxTimerMs);
  const count = (name: keyof RabbitmqCalculationQueueOptions, fallback: number, max?: number) =>
    positiveInteger(name, (options[name] as number | undefined) ?? fallback, max);
  const { exchange = 'factorial' } = options;
  if (!exchangePattern.test(exchange)) {
    throw new InputError(`an exchange name matching ${exchangePattern.source}`, JSON.stringify(exchange).slice(0, 200));
  }
  const heartbeatSeconds = count('heartbeatSeconds', 10, maxHeartbeatSeconds);
  return Object.freeze({
    url: brokerUrl(options.url, heartbeatSeconds),
    exchange,
    maxLength: count('maxLength', 10_000, 2 ** 31 - 1),
    maxDeliveries: count('maxDeliveries', 20, 1_000_000),
    maxDeadLetters: count('maxDeadLetters', 1_000, 10_000),
    retryDelayMs: timer('retryDelayMs', 1_000),
    maxDelayMs: timer('maxDelayMs', 3_600_000),
    maxMessageBytes: count('maxMessageBytes', 16_384, 2 ** 20),
    publishTimeoutMs: timer('publishTimeoutMs', 5_000),
    maxUnconfirmed: count('maxUnconfirmed', 10_000, 1_000_000),
    connectTimeoutMs: timer('connectTimeoutMs', 10_000),
    heartbeatSeconds,
    consumerRenewMs: timer('consumerRenewMs', 15_000),
    reconnectInitialMs: timer('reconnectInitialMs', 100),
    reconnectMaxMs: timer('reconnectMaxMs', 10_000),
    onFault: options.onFault ?? (() => undefined),
  });
}

function brokerUrl(text: string, heartbeatSeconds: number): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'amqp:' && url?.protocol !== 'amqps:') {
    throw new InputError('a broker URL such as amqp://user:password@host:5672/vhost', url?.protocol ?? 'no URL');
  }
  url.searchParams.set('heartbeat', String(heartbeatSeconds));
  return url.href;
}

/** A connection counts as sound when it outlived the longest wait. */
export function reconnectTimes({ reconnectInitialMs, reconnectMaxMs }: RabbitmqSettings): ReconnectTimes {
  return { initialMs: reconnectInitialMs, maxMs: reconnectMaxMs, stableMs: reconnectMaxMs };
}
