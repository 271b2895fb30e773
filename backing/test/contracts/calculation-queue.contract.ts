import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CapacityError, PoisonMessageError, TransientError } from '../../src/contracts/errors.ts';
import type { CalculationRequest } from '../../src/contracts/message.ts';
import type { CalculationQueue, Delivery, Settlement } from '../../src/queue/calculation-queue.ts';

/** A fresh queue with `maxLength` 5 per lane, `maxDeliveries` 3, `maxDeadLetters` 4, `retryDelayMs` 10. */
export interface CalculationQueueUnderTest {
  readonly queue: CalculationQueue;
  dispose(): Promise<void>;
}

const ack: Settlement = { kind: 'ack' };
const requeue: Settlement = { kind: 'requeue', delayMs: 5 };

function requestOf(number: number | string, attempt = 1): CalculationRequest {
  return { version: 1, number: String(number), attempt };
}

export function describeCalculationQueueContract(
  name: string,
  makeQueue: () => Promise<CalculationQueueUnderTest>,
): void {
  describe(`${name} keeps the calculation queue contract`, () => {
    let subject: CalculationQueueUnderTest;
    let queue: CalculationQueue;

    beforeEach(async () => {
      subject = await makeQueue();
      queue = subject.queue;
      await queue.ping();
    });

    afterEach(async () => {
      await subject.dispose();
    });

    test('delivers what was published before and after the consumer came, each once', async () => {
      const seen: Delivery[] = [];
      await queue.publish('small.quick', requestOf(1));
      await queue.consume('small.quick', 2, async (delivery) => {
        seen.push(delivery);
        return ack;
      });
      await queue.publish('small.quick', requestOf(2));
      await until(() => seen.length === 2);
      await sleep(30);
      expect(seen.map((delivery) => delivery.body)).toEqual([requestOf(1), requestOf(2)]);
      expect(seen.every((delivery) => delivery.deliveryCount === 1 && delivery.lane === 'small.quick')).toBe(true);
    });

    test('a blocked lane does not hold up another', async () => {
      const gate = Promise.withResolvers<Settlement>();
      const quick = Promise.withResolvers<void>();
      await queue.consume('small.long', 1, () => gate.promise);
      await queue.consume('small.quick', 1, async () => {
        quick.resolve();
        return ack;
      });
      await queue.publish('small.long', requestOf(1));
      await queue.publish('small.quick', requestOf(2));
      await quick.promise;
      gate.resolve(ack);
    });

    test('never has more than prefetchCount deliveries unsettled', async () => {
      let unsettled = 0;
      let most = 0;
      let settled = 0;
      await queue.consume('large', 2, async () => {
        unsettled += 1;
        most = Math.max(most, unsettled);
        await sleep(5);
        unsettled -= 1;
        settled += 1;
        return ack;
      });
      for (let n = 1; n <= 20; n++) {
        await publishWhenRoom(queue, n);
      }
      await until(() => settled === 20);
      expect(most).toBe(2);
    });

    test('a requeued message comes again after its delay with a higher count, then becomes a dead letter', async () => {
      const counts: number[] = [];
      const times: number[] = [];
      await queue.consume('small.quick', 1, async ({ deliveryCount }) => {
        counts.push(deliveryCount);
        times.push(performance.now());
        return { kind: 'requeue', delayMs: 40 };
      });
      await queue.publish('small.quick', requestOf(1));
      await until(async () => (await queue.deadLetters(10)).length === 1);
      expect(counts).toEqual([1, 2, 3]);
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(35);
      const [letter] = await queue.deadLetters(10);
      expect(letter).toMatchObject({ body: requestOf(1), lane: 'small.quick' });
      expect(letter?.reason).toContain('3 times');
    });

    test('while a message waits for its delay the next ones are delivered', async () => {
      const order: string[] = [];
      await queue.consume('small.quick', 1, async ({ body, deliveryCount }) => {
        const { number } = body as CalculationRequest;
        order.push(number);
        return number === '1' && deliveryCount === 1 ? { kind: 'requeue', delayMs: 50 } : ack;
      });
      await queue.publish('small.quick', requestOf(1));
      await queue.publish('small.quick', requestOf(2));
      await until(() => order.length === 3);
      expect(order).toEqual(['1', '2', '1']);
    });

    test('a handler that throws, now or later, means requeue, and its message is in the dead letter', async () => {
      let calls = 0;
      await queue.consume('small.quick', 1, () => {
        calls += 1;
        if (calls === 1) throw new Error('thrown at once');
        return Promise.reject(new Error('no disk today'));
      });
      await queue.publish('small.quick', requestOf(1));
      await until(async () => (await queue.deadLetters(10)).length === 1);
      expect(calls).toBe(3);
      expect((await queue.deadLetters(10))[0]?.reason).toContain('no disk today');
    });

    test('a dead letter keeps the reason; the newest come first and only the latest are kept', async () => {
      await queue.consume('small.quick', 1, async ({ body }) => ({
        kind: 'deadLetter',
        reason: `no ${(body as CalculationRequest).number}`,
      }));
      for (let n = 1; n <= 6; n++) {
        await queue.publish('small.quick', requestOf(n));
        await until(async () => (await queue.deadLetters(1))[0]?.reason === `no ${n}`);
      }
      expect((await queue.deadLetters(100)).map((letter) => letter.reason)).toEqual(['no 6', 'no 5', 'no 4', 'no 3']);
      expect(await queue.deadLetters(2)).toHaveLength(2);
    });

    test('a full lane refuses the next message, another lane still accepts', async () => {
      for (let n = 1; n <= 5; n++) await queue.publish('small.quick', requestOf(n));
      await expect(queue.publish('small.quick', requestOf(6))).rejects.toThrow(CapacityError);
      await queue.publish('small.long', requestOf(6));
    });

    test('a message that is not a request is refused when it is published', async () => {
      const bad = { version: 1, number: 'five', attempt: 1 } as CalculationRequest;
      await expect(queue.publish('small.quick', bad)).rejects.toThrow(PoisonMessageError);
    });

    test('closing waits for handlers under way and delivers nothing more', async () => {
      const seen: unknown[] = [];
      let finished = false;
      const started = Promise.withResolvers<void>();
      await queue.consume('small.quick', 1, async ({ body }) => {
        seen.push(body);
        started.resolve();
        await sleep(50);
        finished = true;
        return requeue;
      });
      await queue.publish('small.quick', requestOf(1));
      await queue.publish('small.quick', requestOf(2));
      await started.promise;
      await queue.close(5_000);
      expect(finished).toBe(true);
      await sleep(30);
      expect(seen).toHaveLength(1);
      await expect(queue.publish('small.quick', requestOf(3))).rejects.toThrow(TransientError);
      await expect(queue.ping()).rejects.toThrow(TransientError);
    });

    test('closing gives up on a handler that hangs once drainMs are over', async () => {
      const started = Promise.withResolvers<void>();
      await queue.consume('small.quick', 1, () => {
        started.resolve();
        return new Promise(() => {});
      });
      await queue.publish('small.quick', requestOf(1));
      await started.promise;
      const before = performance.now();
      await queue.close(50);
      const elapsedMs = performance.now() - before;
      expect(elapsedMs).toBeGreaterThanOrEqual(45);
      expect(elapsedMs).toBeLessThan(3_000);
    });
  });
}

/** A publisher that respects back-pressure, as the sweep does. */
async function publishWhenRoom(queue: CalculationQueue, n: number): Promise<void> {
  for (;;) {
    try {
      await queue.publish('large', requestOf(n));
      return;
    } catch (fault) {
      if (!(fault instanceof CapacityError)) throw fault;
      await sleep(2);
    }
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('expected the condition within 20 s, got a timeout');
    await sleep(2);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
