import { InputError } from '@factorial/compute';
import { describe, expect, test } from 'vitest';
import type { CalculationRequest } from '../src/contracts/message.ts';
import type { Lane } from '../src/queue/calculation-queue.ts';
import { createMemoryCalculationQueue } from '../src/queue/memory-calculation-queue.ts';
import { describeCalculationQueueContract } from './contracts/calculation-queue.contract.ts';

describeCalculationQueueContract('the in-process calculation queue', async () => {
  const queue = createMemoryCalculationQueue({ maxLength: 5, maxDeliveries: 3, maxDeadLetters: 4, retryDelayMs: 10 });
  return { queue, dispose: () => queue.close(0) };
});

function requestOf(number: string, attempt = 1): CalculationRequest {
  return { version: 1, number, attempt };
}

describe('the in-process calculation queue', () => {
  test('one n waits once however often it is published, with its newest attempt', async () => {
    const queue = createMemoryCalculationQueue({ maxLength: 2 });
    for (let round = 0; round < 50; round++) await queue.publish('small.quick', requestOf('7', (round % 3) + 1));
    await queue.publish('small.quick', requestOf('8'));
    const bodies: unknown[] = [];
    await queue.consume('small.quick', 1, async ({ body }) => {
      bodies.push(body);
      return { kind: 'ack' };
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(bodies).toEqual([requestOf('7', 3), requestOf('8')]);
    await queue.close(0);
  });

  test('a message published again while it is delivered or delayed keeps its count and its delay', async () => {
    const queue = createMemoryCalculationQueue({ maxDeliveries: 4 });
    const times: number[] = [];
    await queue.consume('small.quick', 1, async ({ deliveryCount }) => {
      times.push(performance.now());
      if (deliveryCount < 4) {
        await queue.publish('small.quick', requestOf('7'));
        setTimeout(() => void queue.publish('small.quick', requestOf('7')), 5);
      }
      return { kind: 'requeue', delayMs: 30 };
    });
    await queue.publish('small.quick', requestOf('7'));
    while ((await queue.deadLetters(1)).length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(times).toHaveLength(4);
    for (let i = 1; i < 4; i++) expect((times[i] ?? 0) - (times[i - 1] ?? 0)).toBeGreaterThanOrEqual(25);
    await queue.close(0);
  });

  test('a delay longer than allowed, or than a timer can count, is cut short instead of firing at once', async () => {
    const queue = createMemoryCalculationQueue({ maxDelayMs: 60 });
    const times: number[] = [];
    await queue.consume('small.quick', 1, async ({ deliveryCount }) => {
      times.push(performance.now());
      return deliveryCount === 1 ? { kind: 'requeue', delayMs: 1e15 } : { kind: 'ack' };
    });
    await queue.publish('small.quick', requestOf('7'));
    while (times.length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(55);
    await queue.close(0);
  });

  test('refuses a lane it does not know, a second consumer, and bounds that bound nothing', async () => {
    const queue = createMemoryCalculationQueue();
    await expect(queue.publish('tiny' as Lane, requestOf('7'))).rejects.toThrow(InputError);
    await queue.consume('large', 1, async () => ({ kind: 'ack' }));
    await expect(queue.consume('large', 1, async () => ({ kind: 'ack' }))).rejects.toThrow(InputError);
    await expect(queue.consume('small.long', 0, async () => ({ kind: 'ack' }))).rejects.toThrow(InputError);
    expect(() => createMemoryCalculationQueue({ maxLength: 0 })).toThrow(InputError);
    expect(() => createMemoryCalculationQueue({ maxDelayMs: 2 ** 31 })).toThrow(InputError);
    await queue.close(0);
  });
});
