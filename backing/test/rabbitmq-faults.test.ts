import { randomUUID } from 'node:crypto';
import { type ChannelModel, connect } from 'amqplib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningRabbitmq, startRabbitmq } from '../dev/rabbitmq.ts';
import { startTcpProxy, type TcpProxy, throughProxy } from '../dev/tcp-proxy.ts';
import { withDeadline } from '../src/contracts/deadline.ts';
import { CapacityError, TransientError } from '../src/contracts/errors.ts';
import type { CalculationRequest } from '../src/contracts/message.ts';
import type { CalculationQueue, Delivery, Settlement } from '../src/queue/calculation-queue.ts';
import { createRabbitmqCalculationQueue } from '../src/queue/rabbitmq/rabbitmq-calculation-queue.ts';
import { type RabbitmqCalculationQueueOptions, rabbitmqSettings } from '../src/queue/rabbitmq/rabbitmq-options.ts';
import { Topology } from '../src/queue/rabbitmq/topology.ts';
import { deleteEverything, onChannel, sleep, startOneWayProxy, until } from './rabbitmq-test-support.ts';

const ack: Settlement = { kind: 'ack' };

let broker: RunningRabbitmq;
let proxy: TcpProxy;
let exchange: string;
const queues: CalculationQueue[] = [];

beforeAll(async () => {
  broker = await startRabbitmq();
});

afterAll(async () => {
  await broker?.dispose();
});

beforeEach(async () => {
  proxy = await startTcpProxy(Number(new URL(broker.url).port));
  exchange = `test-${randomUUID()}`;
});

afterEach(async () => {
  proxy.restore();
  await Promise.all(queues.splice(0).map((queue) => queue.close(0)));
  await proxy.close();
  // A broker that was just killed may refuse or delay this; it ends with this file anyway.
  await withDeadline(
    directly((model) => deleteEverything(model, exchange)),
    10_000,
    'the end of the queues',
  ).catch(() => undefined);
});

/** A queue through the proxy, with times short enough for a test. */
function makeQueue(options: Partial<RabbitmqCalculationQueueOptions> = {}): CalculationQueue {
  const queue = createRabbitmqCalculationQueue({
    url: throughProxy(broker.url, proxy),
    exchange,
    retryDelayMs: 10,
    publishTimeoutMs: 1_000,
    connectTimeoutMs: 2_000,
    heartbeatSeconds: 1,
    reconnectInitialMs: 20,
    reconnectMaxMs: 200,
    ...options,
  });
  queues.push(queue);
  return queue;
}

async function directly<Result>(work: (model: ChannelModel) => Promise<Result>): Promise<Result> {
  const model = await connect(broker.url, { timeout: 5_000 });
  const result = await work(model);
  await model.close();
  return result;
}

const requestOf = (number: number | string): CalculationRequest => ({ version: 1, number: String(number), attempt: 1 });
const numberOf = ({ body }: Delivery): string => (body as CalculationRequest).number;

/** As the sweep does: again until the queue has it. Resolves to how often it was refused. */
async function publishUntilAccepted(queue: CalculationQueue, n: number | string): Promise<number> {
  for (let refusals = 0; ; refusals++) {
    try {
      await queue.publish('small.quick', requestOf(n));
      return refusals;
    } catch (fault) {
      // A broker that is going down also answers with a nack.
      if (!(fault instanceof TransientError || fault instanceof CapacityError)) throw fault;
      await sleep(20);
    }
  }
}

const serves = (queue: CalculationQueue) => async () => {
  try {
    await queue.ping();
    return true;
  } catch {
    return false;
  }
};

describe('connections that fail', () => {
  test('cut again and again while messages flow: each is handled, and everything serves afterwards', async () => {
    const queue = makeQueue();
    const handled = new Map<string, number>();
    let running = 0;
    let most = 0;
    await queue.consume('small.quick', 3, async (delivery) => {
      running += 1;
      most = Math.max(most, running);
      await sleep(3);
      running -= 1;
      handled.set(numberOf(delivery), (handled.get(numberOf(delivery)) ?? 0) + 1);
      return ack;
    });
    await until(serves(queue));
    // Each time it serves again, so that a slow machine is cut as often as a quick one, and no more often.
    const cutting = (async () => {
      for (let cut = 0; cut < 8; cut++) {
        await sleep(150);
        await until(serves(queue));
        proxy.cut();
      }
    })();
    for (let n = 0; n < 150; n++) {
      await publishUntilAccepted(queue, n);
      await sleep(15);
    }
    await cutting;
    await until(() => handled.size === 150);
    expect(most).toBeLessThanOrEqual(3);
    await until(serves(queue));
    expect(proxy.acceptedCount).toBeGreaterThan(6);
    expect(proxy.acceptedCount).toBeLessThan(60);
  });

  test('half-open: publishing and ping fail within their bounds, and all serves once bytes pass again', async () => {
    const queue = makeQueue();
    const handled: string[] = [];
    await queue.consume('small.quick', 1, async (delivery) => {
      handled.push(numberOf(delivery));
      return ack;
    });
    await until(serves(queue));
    proxy.stall();
    const begin = performance.now();
    await expect(queue.publish('small.quick', requestOf(1))).rejects.toThrow(TransientError);
    await expect(queue.ping()).rejects.toThrow(TransientError);
    expect(performance.now() - begin).toBeLessThan(3_000);
    // Long enough for the heartbeat to end the connections and for new ones to hang in their handshake.
    await sleep(4_000);
    proxy.restore();
    await until(serves(queue));
    await queue.publish('small.quick', requestOf(2));
    await until(() => handled.includes('2'));
  });

  test('a stall of 5 s delays what is under way, and no connection is given up for it', async () => {
    const queue = makeQueue({ heartbeatSeconds: 10, publishTimeoutMs: 10_000 });
    const handled: string[] = [];
    await queue.consume('small.quick', 1, async (delivery) => {
      handled.push(numberOf(delivery));
      return ack;
    });
    await until(serves(queue));
    const connections = proxy.acceptedCount;
    proxy.stall();
    const publishing = queue.publish('small.quick', requestOf(1));
    setTimeout(() => proxy.restore(), 5_000);
    await publishing;
    await until(() => handled.length === 1);
    expect(proxy.acceptedCount).toBe(connections);
  });

  test('refused at start-up: calls fail in time and say why, then the same queue serves', async () => {
    await proxy.refuse();
    const faults: unknown[] = [];
    const queue = makeQueue({ onFault: (fault) => faults.push(fault) });
    const handled: string[] = [];
    await queue.consume('small.quick', 1, async (delivery) => {
      handled.push(numberOf(delivery));
      return ack;
    });
    const begin = performance.now();
    await expect(queue.publish('small.quick', requestOf(1))).rejects.toThrow(/ECONNREFUSED/);
    await expect(queue.ping()).rejects.toThrow(TransientError);
    expect(performance.now() - begin).toBeLessThan(3_000);
    await sleep(1_000);
    // Two connections, each tried at most every 100 ms once the wait is longest: no flood of tries or of log lines.
    expect(faults.length).toBeLessThan(80);
    await proxy.accept();
    await until(serves(queue));
    await queue.publish('small.quick', requestOf(2));
    await until(() => handled.includes('2'));
  });

  test('closed by the operator: made anew', async () => {
    const queue = makeQueue();
    const handled: string[] = [];
    await queue.consume('small.quick', 1, async (delivery) => {
      handled.push(numberOf(delivery));
      return ack;
    });
    await until(serves(queue));
    await broker.control('close_all_connections', 'maintenance');
    await publishUntilAccepted(queue, 1);
    await until(() => handled.includes('1'));
    await until(serves(queue));
  });

  test('a confirmation that is lost is a transient fault; publishing again doubles the message and loses none', async () => {
    const oneWay = await startOneWayProxy(Number(new URL(broker.url).port));
    const url = new URL(broker.url);
    url.port = String(oneWay.port);
    const queue = makeQueue({ url: url.href, heartbeatSeconds: 10 });
    await until(serves(queue));
    oneWay.deafen();
    await expect(queue.publish('small.quick', requestOf(7))).rejects.toThrow(/confirm/);
    oneWay.heal();
    await publishUntilAccepted(queue, 7);
    const handled: string[] = [];
    await queue.consume('small.quick', 1, async (delivery) => {
      handled.push(numberOf(delivery));
      return ack;
    });
    await until(() => handled.length === 2);
    expect(handled).toEqual(['7', '7']);
    await queue.close(0);
    oneWay.close();
  });

  test('closing while the broker does not answer ends within its bounds', async () => {
    const queue = makeQueue({ heartbeatSeconds: 10 });
    await queue.consume('small.quick', 1, async () => ack);
    await until(serves(queue));
    proxy.stall();
    const begin = performance.now();
    await queue.close(500);
    expect(performance.now() - begin).toBeLessThan(5_000);
    await expect(queue.publish('small.quick', requestOf(1))).rejects.toThrow(/closed/);
  });
});

describe('deliveries that fail', () => {
  test('a delivery cut while it is handled comes again, counted, and never beside its own first handler', async () => {
    const queue = makeQueue();
    const counts: number[] = [];
    let running = 0;
    await queue.consume('small.quick', 1, async ({ deliveryCount }) => {
      counts.push(deliveryCount);
      running += 1;
      expect(running).toBe(1);
      if (deliveryCount === 1) {
        proxy.cut();
        await sleep(700);
      }
      running -= 1;
      return ack;
    });
    await publishUntilAccepted(queue, 1);
    await until(() => counts.length >= 2 && running === 0);
    await sleep(100);
    expect(counts).toEqual([1, 2]);
  });

  test('a message whose worker dies each time ends as a dead letter after its deliveries', async () => {
    const queue = makeQueue({ maxDeliveries: 3 });
    const counts: number[] = [];
    await queue.consume('small.quick', 1, async ({ deliveryCount }) => {
      counts.push(deliveryCount);
      proxy.cut();
      return await new Promise<Settlement>((resolve) => setTimeout(() => resolve(ack), 200));
    });
    await publishUntilAccepted(queue, 1);
    await until(async () => (await queue.deadLetters(5).catch(() => [])).length === 1);
    expect(counts).toEqual([1, 2, 3]);
    const [letter] = await queue.deadLetters(5);
    expect(letter).toMatchObject({ body: requestOf(1), lane: 'small.quick' });
    expect(letter?.reason).toMatch(/never settled/);
    await queue.publish('small.long', requestOf(2));
  });

  test('a requeue that cannot be published gives the delivery back instead of losing it', async () => {
    const queue = makeQueue({ retryDelayMs: 100 });
    const counts: number[] = [];
    await queue.consume('small.quick', 1, async ({ deliveryCount }) => {
      counts.push(deliveryCount);
      if (deliveryCount > 1) return ack;
      await directly((model) => onChannel(model, (channel) => channel.deleteExchange(`${exchange}.retry`)));
      return { kind: 'requeue', delayMs: 10 };
    });
    await until(serves(queue));
    await queue.publish('small.quick', requestOf(1));
    await until(() => counts.length === 2);
    expect(counts).toEqual([1, 2]);
    await until(serves(queue));
  });
});

describe('an operator who interferes', () => {
  test('a deleted queue cancels its consumer, which declares it again and goes on', async () => {
    const queue = makeQueue();
    const handled: string[] = [];
    await queue.consume('small.quick', 1, async (delivery) => {
      handled.push(numberOf(delivery));
      return ack;
    });
    await until(serves(queue));
    await queue.publish('small.quick', requestOf(1));
    await until(() => handled.length === 1);
    await directly(async (model) => {
      await onChannel(model, (channel) => channel.deleteQueue(`${exchange}.request.small.quick`));
      // At once: the publisher finds the queue missing before the consumer has heard of it.
      await publishUntilAccepted(queue, 2);
    });
    await until(() => handled.includes('2'));
    await until(serves(queue));
  });

  test.each([5, 10, 20, 50, 80])(
    'a queue deleted and declared again within %d ms has its consumer back after a while',
    async (pauseMs) => {
      const queue = makeQueue({ consumerRenewMs: 1_000 });
      const handled: string[] = [];
      await queue.consume('small.quick', 1, async (delivery) => {
        handled.push(numberOf(delivery));
        return ack;
      });
      await until(serves(queue));
      await queue.publish('small.quick', requestOf(1));
      await until(() => handled.length === 1);
      await directly(async (model) => {
        await onChannel(model, (channel) => channel.deleteQueue(`${exchange}.request.small.quick`));
        await sleep(pauseMs);
        await new Topology(rabbitmqSettings({ url: broker.url, exchange })).declare(model);
      });
      await publishUntilAccepted(queue, 2);
      await until(() => handled.includes('2'));
    },
  );

  test('a deleted queue without a consumer is declared again by the publisher whose message came back', async () => {
    const queue = makeQueue();
    await until(serves(queue));
    await queue.publish('large', requestOf(1));
    await directly((model) => onChannel(model, (channel) => channel.deleteQueue(`${exchange}.request.large`)));
    await queue.publish('large', requestOf(2));
    const handled: string[] = [];
    await queue.consume('large', 1, async (delivery) => {
      handled.push(numberOf(delivery));
      return ack;
    });
    await until(() => handled.length === 1);
    expect(handled).toEqual(['2']);
  });

  test('a deleted exchange is declared again', async () => {
    const queue = makeQueue();
    await until(serves(queue));
    await directly((model) => onChannel(model, (channel) => channel.deleteExchange(exchange)));
    await publishUntilAccepted(queue, 1);
    await until(serves(queue));
  });

  test('a broker short of memory blocks publishers: told at once, consumers go on, and publishing resumes', async () => {
    const queue = makeQueue();
    const gate = Promise.withResolvers<void>();
    const handled: string[] = [];
    await queue.consume('small.quick', 1, async (delivery) => {
      await gate.promise;
      handled.push(numberOf(delivery));
      return ack;
    });
    await until(serves(queue));
    await queue.publish('small.quick', requestOf(1));
    await broker.control('set_vm_memory_high_watermark', 'absolute', '1MB');
    await expect(queue.publish('small.quick', requestOf(2))).rejects.toThrow(TransientError);
    const begin = performance.now();
    await expect(queue.publish('small.quick', requestOf(3))).rejects.toThrow(/blocks publishers/);
    await expect(queue.ping()).rejects.toThrow(/blocks publishers/);
    expect(performance.now() - begin).toBeLessThan(200);
    gate.resolve();
    await until(() => handled.includes('1'));
    await broker.control('set_vm_memory_high_watermark', 'absolute', '512MB');
    await until(serves(queue));
    await queue.publish('small.quick', requestOf(4));
    await until(() => handled.includes('4'));
  });
});

describe('the broker itself is killed', () => {
  test('what it confirmed is there after a restart: waiting, delayed and dead letters', async () => {
    const queue = makeQueue();
    await queue.consume('small.long', 2, async ({ body, deliveryCount }) => {
      if ((body as CalculationRequest).number === '1') return { kind: 'deadLetter', reason: 'for the test' };
      return deliveryCount === 1 ? { kind: 'requeue', delayMs: 3_000 } : ack;
    });
    await until(serves(queue));
    await queue.publish('small.long', requestOf(1));
    await queue.publish('small.long', requestOf(2));
    for (let n = 0; n < 60; n++) await queue.publish('small.quick', requestOf(n));
    await until(async () => (await queue.deadLetters(5)).length === 1);
    await sleep(100);
    await queue.close(1_000);
    await broker.kill();
    await broker.start();
    const again = makeQueue();
    const handled = new Set<string>();
    const late: number[] = [];
    await again.consume('small.quick', 10, async (delivery) => {
      handled.add(numberOf(delivery));
      return ack;
    });
    await again.consume('small.long', 1, async ({ deliveryCount }) => {
      late.push(deliveryCount);
      return ack;
    });
    await until(() => handled.size === 60 && late.length === 1);
    expect(late).toEqual([2]);
    expect((await again.deadLetters(5)).map(({ reason }) => reason)).toEqual(['for the test']);
  });

  test('killed and started again while messages flow: each is handled, ping told the truth meanwhile', async () => {
    const queue = makeQueue();
    const handled = new Set<string>();
    await queue.consume('small.quick', 2, async (delivery) => {
      handled.add(numberOf(delivery));
      return ack;
    });
    for (let n = 0; n < 20; n++) await publishUntilAccepted(queue, n);
    await broker.kill();
    await expect(queue.ping()).rejects.toThrow(TransientError);
    const publishing = Promise.all(Array.from({ length: 20 }, (_, n) => publishUntilAccepted(queue, n + 20)));
    await broker.start();
    await publishing;
    await until(() => handled.size === 40);
    await until(serves(queue));
  });
});
