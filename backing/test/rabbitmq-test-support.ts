import type { Channel, ChannelModel } from 'amqplib';
import { lanes } from '../src/queue/calculation-queue.ts';
import { retryTiersMs } from '../src/queue/rabbitmq/topology.ts';

/** Names of every queue that belongs to an exchange of the calculation queue. */
export function queuesOf(exchange: string, maxDelayMs = 3_600_000): readonly string[] {
  return [
    ...lanes.map((lane) => `${exchange}.request.${lane}`),
    ...retryTiersMs(maxDelayMs).map((tierMs) => `${exchange}.retry.${tierMs}ms`),
    `${exchange}.dead`,
  ];
}

/** Remove all that a test's queue declared. */
export async function deleteEverything(model: ChannelModel, exchange: string): Promise<void> {
  await onChannel(model, async (channel) => {
    for (const queue of queuesOf(exchange)) await channel.deleteQueue(queue);
    for (const suffix of ['', '.retry', '.dead']) await channel.deleteExchange(`${exchange}${suffix}`);
  });
}

export async function onChannel<Result>(
  model: ChannelModel,
  work: (channel: Channel) => Promise<Result>,
): Promise<Result> {
  const channel = await model.createChannel();
  const result = await work(channel);
  await channel.close();
  return result;
}

/** Ask again and again until it holds; fails after 20 s. */
export async function until(condition: () => boolean | Promise<boolean>, what = 'the condition'): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`expected ${what} within 20 s, got a timeout`);
    await sleep(5);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
