import { randomUUID } from 'node:crypto';
import type { Message, Options } from 'amqplib';
import { PoisonMessageError } from '../../contracts/errors.ts';
import type { CalculationEvent } from '../../contracts/event.ts';
import { type CalculationRequest, parseCalculationRequest } from '../../contracts/message.ts';
import { type DeadLetter, type Lane, lanes } from '../calculation-queue.ts';
import { laneRoutingKey, retryTierHeader } from './topology.ts';

export interface WireMessage {
  readonly content: Buffer;
  readonly properties: Options.Publish;
}

/** Deliveries before the message was published anew; the broker counts only those since. */
const deliveriesHeader = 'deliveries';
const laneHeader = 'lane';
const reasonHeader = 'reason';
const maxReasonLength = 1_000;

/** A request as it goes over the wire: JSON, persistent. `deliveries` is how often it was delivered so far. */
export function encodeRequest(request: CalculationRequest, deliveries: number): WireMessage {
  return encode('calculation-request.v1', request, { [deliveriesHeader]: deliveries });
}

export function encodeEvent(event: CalculationEvent): WireMessage {
  return encode('calculation-event.v1', event, {});
}

function encode(type: string, body: CalculationRequest | CalculationEvent, headers: Record<string, unknown>) {
  const properties = { type, headers, contentType: 'application/json', ...durable() };
  return { content: Buffer.from(JSON.stringify(body)), properties };
}

/** The same request for the retry queue of `tier`, from which it expires after `delayMs`. */
export function delayed(message: WireMessage, tier: string, delayMs: number): WireMessage {
  const headers = { ...message.properties.headers, [retryTierHeader]: tier };
  return { ...message, properties: { ...message.properties, headers, expiration: String(Math.ceil(delayMs)) } };
}

/** A dead letter: the first `maxBytes` of what was delivered, with the reason and the lane in its headers. */
export function encodeDeadLetter(content: Buffer, lane: Lane, reason: string, maxBytes: number): WireMessage {
  const headers = { [laneHeader]: lane, [reasonHeader]: reason.slice(0, maxReasonLength) };
  return { content: content.subarray(0, maxBytes), properties: { headers, ...durable() } };
}

function durable(): Options.Publish {
  return { persistent: true, messageId: randomUUID(), timestamp: Math.floor(Date.now() / 1_000) };
}

/** The request in a delivery. `PoisonMessageError` when it is too large, no JSON, or no request of a known version. */
export function decodeRequest({ content }: Message, maxBytes: number): CalculationRequest {
  if (content.byteLength > maxBytes) {
    throw new PoisonMessageError(`expected a message of at most ${maxBytes} bytes, got ${content.byteLength}`);
  }
  let body: unknown;
  try {
    body = JSON.parse(content.toString());
  } catch (fault) {
    throw new PoisonMessageError(`expected a message in JSON, got ${(fault as Error).message}`, { cause: fault });
  }
  return parseCalculationRequest(body);
}

/** Which delivery of the message this is, from 1: those before it was published anew, and those the broker counted since. */
export function deliveryCountOf({ properties }: Message): number {
  const { headers } = properties;
  return count(headers?.[deliveriesHeader]) + count(headers?.['x-delivery-count']) + 1;
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/** A message of the dead letter queue, put there by this queue or by the broker; undefined when it came from elsewhere. */
export function decodeDeadLetter(message: Message): DeadLetter | undefined {
  const { headers = {} } = message.properties;
  const lane = lanes.find(
    (known) => known === headers[laneHeader] || laneRoutingKey(known) === message.fields.routingKey,
  );
  if (lane === undefined) return undefined;
  const given: unknown = headers[reasonHeader];
  return Object.freeze({
    body: bodyOf(message.content),
    lane,
    reason: typeof given === 'string' ? given : brokerReason(message),
  });
}

/** The broker dead-letters by itself only after its delivery limit, or when a queue's bounds were changed by hand. */
function brokerReason({ properties }: Message): string {
  const reason: unknown = properties.headers?.['x-first-death-reason'];
  if (reason === 'delivery_limit') return 'delivered as often as allowed and never settled: the worker ended each time';
  return `dead-lettered by the broker: ${String(reason)}`;
}

function bodyOf(content: Buffer): unknown {
  const text = content.toString();
  try {
    return JSON.parse(text);
  } catch {
    // Garbage is shown as it is.
    return text;
  }
}
