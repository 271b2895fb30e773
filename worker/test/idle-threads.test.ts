import { defaultBudget } from '@factorial/compute';
import { expect, it } from 'vitest';
import { threadIds } from '../../compute/test/worker-threads.ts';
import { handleRequest } from '../src/consumer/handle-request.ts';
import { RunRegistry } from '../src/consumer/run-registry.ts';
import { openTestServices, quiet, testOptions } from './services.ts';

const never = new AbortController().signal;
const budget = defaultBudget({ threads: 2, memoryBytes: 2 ** 30, engine: 'decimal', blockingSeconds: 0 });

async function calculate(n: bigint, idleThreadsMs: number): Promise<void> {
  await using services = await openTestServices();
  const options = testOptions({
    idleThreadsMs,
    budgets: { 'small.quick': budget, 'small.long': budget, large: budget },
  });
  await services.ask(n);
  const body = { version: 1, number: n.toString(), attempt: 1 };
  const delivery = { body, lane: 'small.quick', deliveryCount: 1 } as const;
  const runs = new RunRegistry(options.concurrency);
  await handleRequest(delivery, { services, options, log: quiet, runs, drain: never, stop: never });
  expect((await services.metadata.find(n))?.status).toBe('done');
}

it('lets the threads of a calculation wait for the next one as long as the setting says, and no longer', async () => {
  await calculate(60_000n, 0);
  expect(threadIds()).toEqual([]);
  await calculate(60_000n, 1_000);
  const waiting = threadIds();
  expect(waiting.length).toBe(2);
  await calculate(70_000n, 1_000);
  expect(threadIds()).toEqual(waiting);
  await expect.poll(threadIds, { timeout: 10_000 }).toEqual([]);
});
