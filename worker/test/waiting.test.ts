import type { Delivery, Lane, Settlement } from '@factorial/backing';
import { defaultBudget, PlanCapacityError, planFactorial, SharedBudget } from '@factorial/compute';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handleRequest } from '../src/consumer/handle-request.ts';
import { RunRegistry } from '../src/consumer/run-registry.ts';
import type { WorkerOptions } from '../src/options.ts';
import { Worker } from '../src/worker.ts';
import { openTestServices, quiet, type TestServices, testOptions, until } from './services.ts';

const mebibyte = 2 ** 20;
const long = defaultBudget({ threads: 1, memoryBytes: 192 * mebibyte, engine: 'decimal' });
const quick = defaultBudget({ threads: 1, memoryBytes: 64 * mebibyte, engine: 'decimal' });
const budgets = { 'small.quick': quick, 'small.long': long, large: long };
const n = 2_000_000n;
const nothing = { memoryBytes: 0, scratchBytes: 0 };

let services: TestServices;
let sharedBudget: SharedBudget;
let lines: { readonly message: string; readonly [field: string]: unknown }[];
beforeEach(async () => {
  services = await openTestServices();
  sharedBudget = new SharedBudget({ memoryBytes: 320 * mebibyte, scratchBytes: 0, quickMemoryBytes: 128 * mebibyte });
  lines = [];
});
afterEach(async () => {
  await services[Symbol.asyncDispose]();
});

const log = { ...quiet, info: (fields: object, message: string) => void lines.push({ ...fields, message }) };
const optionsOf = (changes: Partial<WorkerOptions>) => testOptions({ budgets, heartbeatMs: 20, ...changes });
const rowOf = (number: bigint) => services.metadata.find(number);
const isWaiting = async (number: bigint) => (await rowOf(number))?.progress?.phase === 'waiting';
const isDone = async (number: bigint) => (await rowOf(number))?.status === 'done';

/** Somebody else's calculation takes all the memory that is not the quick lane's. */
const takeAll = () =>
  sharedBudget.acquire({ memoryBytes: 192 * mebibyte, scratchBytes: 0 }, new AbortController().signal, () => {
    throw new Error('it was to fit');
  });

/** Deliver one request as the queue does; `drain` begins the end of the worker. */
function deliver(number: bigint, changes: Partial<WorkerOptions> = {}, lane: Lane = 'small.long') {
  const drain = new AbortController();
  const options = optionsOf(changes);
  const delivery: Delivery = { body: { version: 1, number: `${number}`, attempt: 1 }, lane, deliveryCount: 1 };
  const context = {
    services: { ...services, sharedBudget },
    options,
    log,
    runs: new RunRegistry(options.concurrency),
    drain: drain.signal,
    stop: new AbortController().signal,
  };
  return { settlement: handleRequest(delivery, context), drain };
}

describe('a calculation that does not fit beside the others', () => {
  it('waits unclaimed, says so on its row and in the log, and runs when there is room', async () => {
    await services.ask(n);
    const held = await takeAll();
    const { settlement } = deliver(n);
    await until(() => isWaiting(n));
    expect(await rowOf(n)).toMatchObject({
      status: 'calculating',
      leaseOwner: null,
      fence: 0n,
      progress: { done: 0, reason: expect.stringMatching(/^needs \d+ MiB of memory, other calculations have left 0;/) },
    });
    expect(lines).toContainEqual(expect.objectContaining({ message: 'calculation waits', number: `${n}` }));
    await held[Symbol.asyncDispose]();
    expect(await settlement).toEqual({ kind: 'ack' });
    expect(await rowOf(n)).toMatchObject({ status: 'done', fence: 1n, progress: null });
    expect(sharedBudget.taken).toEqual(nothing);
  });

  it('never stands before a quick one', async () => {
    await services.ask(n);
    await services.ask(100n);
    const held = await takeAll();
    const worker = new Worker({ ...services, sharedBudget }, optionsOf({ quickMaxSeconds: 0.1 }), log);
    await worker.start();
    await services.queue.publish('small.long', { version: 1, number: `${n}`, attempt: 1 });
    await until(() => isWaiting(n));
    const startedMs = performance.now();
    await services.queue.publish('small.quick', { version: 1, number: '100', attempt: 1 });
    await until(() => isDone(100n));
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(await isWaiting(n)).toBe(true);
    await held[Symbol.asyncDispose]();
    await until(() => isDone(n), 60_000);
    await worker.stop(5_000);
    expect(sharedBudget.taken).toEqual(nothing);
  });

  // Once more where the machine stood still for as long.
  it('stops waiting when it is cancelled, and the next one gets its place', { retry: 1 }, async () => {
    await services.ask(n);
    const held = await takeAll();
    const { settlement } = deliver(n);
    await until(() => isWaiting(n));
    await services.metadata.cancel(n);
    const cancelledMs = performance.now();
    expect(await settlement).toEqual({ kind: 'ack' });
    expect(performance.now() - cancelledMs).toBeLessThan(500);
    expect(sharedBudget.waitingCount).toBe(0);
    await held[Symbol.asyncDispose]();
    expect(await rowOf(n)).toMatchObject({ status: 'failed', error: { code: 'cancelled' }, fence: 1n });
  });

  it('is left to another worker that claims it meanwhile', async () => {
    await services.ask(n);
    const held = await takeAll();
    const { settlement } = deliver(n);
    await until(() => isWaiting(n));
    const outcome = await services.metadata.claim(n, 'another', { leaseMs: 60_000, maxInterruptions: 5 });
    expect(outcome.kind).toBe('claimed');
    expect(await settlement).toEqual({ kind: 'ack' });
    await held[Symbol.asyncDispose]();
    expect(await rowOf(n)).toMatchObject({ leaseOwner: 'another', progress: null });
  });

  it('is published anew for other workers when it has waited long enough here', async () => {
    await services.ask(n);
    const held = await takeAll();
    const published: string[] = [];
    await services.queue.consume('small.long', 1, async ({ body }): Promise<Settlement> => {
      published.push(JSON.stringify(body));
      return { kind: 'ack' };
    });
    expect(await deliver(n, { turnWaitMs: 60 }).settlement).toEqual({ kind: 'ack' });
    await until(async () => published.length === 1);
    expect(published).toEqual([`{"version":1,"number":"${n}","attempt":1}`]);
    expect(sharedBudget.waitingCount).toBe(0);
    await held[Symbol.asyncDispose]();
  });

  it('goes back into the queue at once when the worker begins to stop', async () => {
    await services.ask(n);
    const held = await takeAll();
    const { settlement, drain } = deliver(n);
    await until(() => isWaiting(n));
    drain.abort();
    expect(await settlement).toEqual({ kind: 'requeue', delayMs: 0 });
    expect(sharedBudget.waitingCount).toBe(0);
    await held[Symbol.asyncDispose]();
  });

  it('goes to the long lane when it was sent to a quick one whose memory does not hold it', async () => {
    const tooLarge = 10_000_000n;
    expect(() => planFactorial(tooLarge, quick)).toThrow(PlanCapacityError);
    await services.ask(tooLarge);
    const lanes: Lane[] = [];
    for (const lane of ['small.quick', 'small.long'] as const) {
      await services.queue.consume(lane, 1, async (delivery): Promise<Settlement> => {
        lanes.push(delivery.lane);
        return { kind: 'ack' };
      });
    }
    expect(await deliver(tooLarge, {}, 'small.quick').settlement).toEqual({ kind: 'ack' });
    await until(async () => lanes.length > 0);
    expect(lanes).toEqual(['small.long']);
    expect(sharedBudget.taken).toEqual(nothing);
  });
});

it('many calculations in lanes that share one memory all end, and never take more than there is', async () => {
  const numbers = Array.from({ length: 15 }, (_, index) => (index % 3 === 0 ? 1_000n : 400_000n) + BigInt(index));
  for (const number of numbers) await services.ask(number);
  const share = planFactorial(400_000n, long).memoryBytes;
  // Two of the four places of the long lane fit at once.
  sharedBudget = new SharedBudget({
    memoryBytes: 128 * mebibyte + 2.5 * share,
    scratchBytes: 0,
    quickMemoryBytes: 128 * mebibyte,
  });
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, sharedBudget.taken.memoryBytes);
  }, 1);
  const concurrency = { 'small.quick': 2, 'small.long': 4, large: 1 };
  const worker = new Worker({ ...services, sharedBudget }, optionsOf({ concurrency, quickMaxSeconds: 0.03 }), log);
  await worker.start();
  await until(async () => (await Promise.all(numbers.map(isDone))).every(Boolean), 90_000);
  await worker.stop(5_000);
  clearInterval(watch);
  expect(most).toBeLessThanOrEqual(128 * mebibyte + 2 * share);
  expect(most).toBeGreaterThan(share);
  expect(lines.some(({ message }) => message === 'calculation waits')).toBe(true);
  expect(sharedBudget.taken).toEqual(nothing);
});
