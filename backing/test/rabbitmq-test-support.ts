import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
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

/** Ask again and again until it holds; fails after the timeout. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = 'the condition',
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`expected ${what} within ${timeoutMs} ms, got a timeout`);
    await sleep(5);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A proxy that passes everything on until `deafen`: from then on what the client sends still arrives, and no answer comes back. */
export async function startOneWayProxy(targetPort: number) {
  let deaf = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1');
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => {
        if (from === client || !deaf) to.write(chunk);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    deafen: () => {
      deaf = true;
    },
    /** Reset what is open and hear again. */
    heal: () => {
      deaf = false;
      for (const socket of sockets) socket.resetAndDestroy();
      sockets.clear();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
