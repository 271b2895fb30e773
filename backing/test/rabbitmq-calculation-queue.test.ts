import { randomUUID } from 'node:crypto';
import { InputError } from '@factorial/compute';
import { type ChannelModel, connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningRabbitmq, startRabbitmq } from '../dev/rabbitmq.ts';
import { PoisonMessageError, TransientError } from '../src/contracts/errors.ts';
import type { CalculationEvent } from '../src/contracts/event.ts';
import type { CalculationRequest } from '../src/contracts/message.ts';
import type { Lane } from '../src/queue/calculation-queue.ts';
import { createRabbitmqCalculationQueue } from '../src/queue/rabbitmq/rabbitmq-calculation-queue.ts';
import type { RabbitmqCalculationQueueOptions } from '../src/queue/rabbitmq/rabbitmq-options.ts';
import { describeCalculationQueueContract } from './contracts/calculation-queue.contract.ts';
import { deleteEverything, onChannel, sleep, until } from './rabbitmq-test-support.ts';

let broker: RunningRabbitmq | undefined;
let url = process.env.TEST_AMQP_URL ?? '';
let direct: ChannelModel;

beforeAll(async () => {
  if (url === '') {
    broker = await startRabbitmq();
    url = broker.url;
  }
  direct = await connect(url);
});

afterAll(async () => {
  await direct?.close();
  await broker?.dispose();
});

function makeQueue(options: Partial<RabbitmqCalculationQueueOptions> = {}) {
  const exchange = `test-${randomUUID()}`;
  const queue = createRabbitmqCalculationQueue({ url, exchange, retryDelayMs: 10, ...options });
  const dispose = async () => {
    await queue.close(0);
    await deleteEverything(direct, exchange);
  };
  return { queue, exchange, dispose };
}

describeCalculationQueueContract('the RabbitMQ calculation queue', async () =>
  makeQueue({ maxLength: 5, maxDeliveries: 3, maxDeadLetters: 4 }),
);

describe('the RabbitMQ calculation queue', () => {
  test('events reach whoever bound a queue to them, and none is no error', async () => {
    const { queue, exchange, dispose } = makeQueue();
    const done: CalculationEvent = {
      version: 1,
      event: 'done',
      number: '5',
      attempt: 1,
      digits: '3',
      checksum: 'ab'.repeat(32),
    };
    const failed: CalculationEvent = { version: 1, event: 'failed', number: '6', attempt: 2, code: 'cancelled' };
    await queue.announce(done);
    const heard: [string, unknown][] = [];
    await onChannel(direct, async (channel) => {
      const listener = await channel.assertQueue('', { exclusive: true });
      await channel.bindQueue(listener.queue, exchange, 'factorial.*');
      await channel.consume(listener.queue, (message) => {
        if (message) heard.push([message.fields.routingKey, JSON.parse(message.content.toString())]);
      });
      await queue.announce(done);
      await queue.announce(failed);
      await until(() => heard.length === 2);
    });
    expect(heard).toEqual([
      ['factorial.done', done],
      ['factorial.failed', failed],
    ]);
    await expect(queue.announce({ ...done, checksum: 'short' })).rejects.toThrow(PoisonMessageError);
    await dispose();
  });

  test.each([
    ['no JSON', Buffer.from('{"version":1,'), 'JSON'],
    ['no request', Buffer.from('{"version":1,"number":"five","attempt":1}'), '/number'],
    ['of a version to come', Buffer.from('{"version":2,"number":"5","attempt":1}'), '/version'],
    ['empty', Buffer.alloc(0), 'JSON'],
    ['too large', Buffer.alloc(20_000, '7'), 'at most 16384 bytes, got 20000'],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0x00]), 'JSON'],
  ])(
    'a message that is %s becomes a dead letter with its reason and never meets the handler',
    async (_what, content, why) => {
      const { queue, exchange, dispose } = makeQueue();
      const bodies: unknown[] = [];
      await queue.consume('small.quick', 1, async ({ body }) => {
        bodies.push(body);
        return { kind: 'ack' };
      });
      await queue.ping();
      await onChannel(direct, async (channel) => {
        channel.publish(exchange, 'request.small.quick', content, { headers: { deliveries: 'many' } });
      });
      await until(async () => (await queue.deadLetters(5)).length === 1);
      const [letter] = await queue.deadLetters(5);
      expect(letter?.reason).toContain(why);
      expect(letter?.lane).toBe('small.quick');
      await queue.publish('small.quick', requestOf(5));
      await until(() => bodies.length === 1);
      expect(bodies).toEqual([requestOf(5)]);
      await dispose();
    },
  );

  test('a message is stored durably, waits in a quorum queue of its lane, and survives the queue object', async () => {
    const { queue, exchange, dispose } = makeQueue();
    await queue.publish('large', requestOf('9223372036854775807', 3));
    await queue.close(0);
    const message = await onChannel(direct, (channel) => channel.get(`${exchange}.request.large`, { noAck: true }));
    if (!message) throw new Error('expected the message in its queue, got none');
    expect(JSON.parse(message.content.toString())).toEqual(requestOf('9223372036854775807', 3));
    expect(message.properties.deliveryMode).toBe(2);
    await dispose();
  });

  test('a delay is kept to within its tier, a long one does not hold up a short one of another', async () => {
    const { queue, dispose } = makeQueue({ maxDelayMs: 4_000 });
    const seen: [string, number][] = [];
    const begin = performance.now();
    await queue.consume('small.quick', 4, async ({ body, deliveryCount }) => {
      const { number } = body as CalculationRequest;
      if (deliveryCount === 1) return { kind: 'requeue', delayMs: number === '1' ? 1e15 : Number(number) };
      seen.push([number, performance.now() - begin]);
      return { kind: 'ack' };
    });
    for (const n of [1, 500, 100]) await queue.publish('small.quick', requestOf(n));
    await until(() => seen.length === 3);
    const at = new Map(seen);
    expect(seen.at(-1)?.[0]).toBe('1');
    expect(at.get('1')).toBeGreaterThan(3_900);
    expect(at.get('500')).toBeGreaterThan(490);
    expect(at.get('500')).toBeLessThan(2_000);
    expect(at.get('100')).toBeLessThan(2_000);
    await dispose();
  });

  test('handlers of several consumers share a lane, and each message is handled once', async () => {
    const { queue, exchange, dispose } = makeQueue();
    const other = createRabbitmqCalculationQueue({ url, exchange });
    const handled: string[] = [];
    const by = { queue: 0, other: 0 };
    for (const [name, each] of [
      ['queue', queue],
      ['other', other],
    ] as const) {
      await each.consume('small.quick', 2, async ({ body }) => {
        by[name] += 1;
        handled.push((body as CalculationRequest).number);
        await sleep(2);
        return { kind: 'ack' };
      });
      await each.ping();
    }
    await Promise.all(Array.from({ length: 200 }, (_, n) => queue.publish('small.quick', requestOf(n))));
    await until(() => handled.length === 200);
    await sleep(50);
    expect(new Set(handled).size).toBe(200);
    expect(handled).toHaveLength(200);
    expect(Math.min(by.queue, by.other)).toBeGreaterThan(20);
    await other.close(0);
    await dispose();
  });

  test('a flood of publishes is confirmed one by one, or refused by the bound on unconfirmed ones', async () => {
    const { queue, dispose } = makeQueue({ maxUnconfirmed: 50 });
    await queue.ping();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 500 }, (_, n) => queue.publish('small.quick', requestOf(n))),
    );
    const accepted = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(accepted).toBe(50);
    await queue.publish('small.quick', requestOf(1));
    const seen = new Set<string>();
    await queue.consume('small.quick', 100, async ({ body }) => {
      seen.add((body as CalculationRequest).number);
      return { kind: 'ack' };
    });
    await until(() => seen.size === 50);
    await dispose();
  });

  test('another configuration of the same queues serves on with the bounds they have, and says so once', async () => {
    const { queue, exchange, dispose } = makeQueue({ maxLength: 5 });
    await queue.publish('large', requestOf(1));
    const faults: unknown[] = [];
    const changed = createRabbitmqCalculationQueue({
      url,
      exchange,
      maxLength: 6,
      onFault: (fault) => faults.push(fault),
    });
    await changed.publish('large', requestOf(2));
    const bodies: unknown[] = [];
    await changed.consume('large', 1, async ({ body }) => {
      bodies.push(body);
      return { kind: 'ack' };
    });
    await until(() => bodies.length === 2);
    expect(faults.map(String).filter((fault) => fault.includes(`${exchange}.request.large`))).toHaveLength(1);
    await changed.close(0);
    await dispose();
  });

  test('looking at dead letters again and again, also twice at once, takes none of them away', async () => {
    const { queue, dispose } = makeQueue();
    await queue.consume('large', 1, async () => ({ kind: 'deadLetter', reason: 'no' }));
    for (const n of [1, 2, 3]) await queue.publish('large', requestOf(n));
    await until(async () => (await queue.deadLetters(5)).length === 3);
    for (let round = 0; round < 25; round++) {
      const [all, two] = await Promise.all([queue.deadLetters(5), queue.deadLetters(2)]);
      expect(all.map(({ body }) => (body as CalculationRequest).number)).toEqual(['3', '2', '1']);
      expect(two).toEqual(all.slice(0, 2));
    }
    await dispose();
  });

  test('refuses URLs of something else, bounds that bound nothing, a second consumer and unknown lanes', async () => {
    for (const bad of ['http://host', 'no url', '']) {
      expect(() => createRabbitmqCalculationQueue({ url: bad })).toThrow(InputError);
    }
    expect(() => createRabbitmqCalculationQueue({ url, maxLength: 0 })).toThrow(InputError);
    expect(() => createRabbitmqCalculationQueue({ url, publishTimeoutMs: 2 ** 31 })).toThrow(InputError);
    expect(() => createRabbitmqCalculationQueue({ url, exchange: 'a b' })).toThrow(InputError);
    const secret = () => createRabbitmqCalculationQueue({ url: 'ftp://user:hush@host' });
    expect(secret).toThrow(expect.not.objectContaining({ message: expect.stringContaining('hush') }));
    const { queue, dispose } = makeQueue();
    await expect(queue.publish('tiny' as Lane, requestOf('7'))).rejects.toThrow(InputError);
    await queue.consume('large', 1, async () => ({ kind: 'ack' }));
    await expect(queue.consume('large', 1, async () => ({ kind: 'ack' }))).rejects.toThrow(InputError);
    await expect(queue.consume('small.long', 0, async () => ({ kind: 'ack' }))).rejects.toThrow(InputError);
    await queue.ping();
    await dispose();
  });

  test('refused credentials are a transient fault that says so', async () => {
    const wrong = new URL(url);
    wrong.password = 'wrong';
    const queue = createRabbitmqCalculationQueue({ url: wrong.href, publishTimeoutMs: 5_000 });
    const fault: unknown = await queue.ping().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(TransientError);
    expect(String(fault)).toMatch(/ACCESS_REFUSED|ACCESS-REFUSED/);
    await queue.close(0);
  });
});

function requestOf(number: number | string, attempt = 1): CalculationRequest {
  return { version: 1, number: String(number), attempt };
}
