import { randomUUID } from 'node:crypto';
import { InputError } from '@factorial/compute';
import { type ChannelModel, connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningRabbitmq, startRabbitmq } from '../dev/rabbitmq.ts';
import { PoisonMessageError, TransientError } from '../src/contracts/errors.ts';
import type { CalculationEvent } from '../src/contracts/event.ts';
import type { CalculationRequest } from '../src/contracts/message.ts';
import type { CalculationQueue, Lane } from '../src/queue/calculation-queue.ts';
import { createRabbitmqCalculationQueue } from '../src/queue/rabbitmq/rabbitmq-calculation-queue.ts';
import type { RabbitmqCalculationQueueOptions } from '../src/queue/rabbitmq/rabbitmq-options.ts';
import { describeCalculationQueueContract } from './contracts/calculation-queue.contract.ts';
import { deleteEverything, sleep, until } from './rabbitmq-test-support.ts';

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

function requestOf(number: number | string, attempt = 1): CalculationRequest {
  return { version: 1, number: String(number), attempt };
}
