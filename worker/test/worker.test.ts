import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CalculationEvent,
  CapacityError,
  createMemoryCalculationQueue,
  executionName,
  type Lane,
  runCalculation,
  TransientError,
} from '@factorial/backing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handleRequest } from '../src/consumer/handle-request.ts';
import { RunRegistry } from '../src/consumer/run-registry.ts';
import type { WorkerOptions } from '../src/options.ts';
import { announceEnds } from '../src/sweep/announce-ends.ts';
import { sweepObjects, sweepUnclaimed } from '../src/sweep/sweep.ts';
import { Worker } from '../src/worker.ts';
import { openTestServices, quiet, type TestServices, testOptions, until, withFault } from './services.ts';

/** Published SHA-256 of the digits of 1000!. */
const thousand = 'cc336cf135d690c1105664b3b859db66b940db51cd66cf891fee120584cf7873';

let services: TestServices;
beforeEach(async () => {
  services = await openTestServices();
});
afterEach(async () => {
  await services[Symbol.asyncDispose]();
});

const never = new AbortController().signal;

/** What requests are handled with when no worker runs. */
const consumer = (changes: Partial<WorkerOptions> = {}, runs = new RunRegistry(testOptions().concurrency)) => ({
  services,
  options: testOptions(changes),
  log: quiet,
  runs,
  drain: never,
  stop: never,
});
/** A queue of one worker's own. */
const openQueue = () => createMemoryCalculationQueue({ retryDelayMs: 10 });

async function claimed(n: bigint, leaseMs = 2_000) {
  await services.ask(n);
  const outcome = await services.metadata.claim(n, 'worker-under-test', { leaseMs, maxInterruptions: 5 });
  if (outcome.kind !== 'claimed') throw new Error(`expected a claim, got ${outcome.kind}`);
  return outcome.claim;
}

const calculation = { ...testOptions(), budget: testOptions().budgets['small.long'] };

async function storedKeys(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of services.objects.list()) keys.push(key);
  return keys;
}

async function withWorker(work: () => Promise<void>, changes: Parameters<typeof testOptions>[0] = {}): Promise<void> {
  const worker = new Worker(services, testOptions(changes), quiet);
  await worker.start();
  try {
    await work();
  } finally {
    await worker.stop(5_000);
  }
}

const isSettled = async (n: bigint): Promise<boolean> => {
  const row = await services.metadata.find(n);
  return row?.status === 'done' || row?.status === 'failed';
};

describe('a worker', () => {
  it('publishes verified digits of a requested number and caches them', async () => {
    await services.ask(1000n);
    await withWorker(async () => {
      await services.queue.publish('small.quick', { version: 1, number: '1000', attempt: 1 });
      await until(() => isSettled(1000n));
      await until(async () => (await services.cache.get(1000n)) !== undefined);
    });
    const row = await services.metadata.find(1000n);
    expect(row).toMatchObject({ status: 'done', size: 2568n, leaseOwner: null, error: null });
    expect(row?.checksum).toBe(thousand);
    expect((await services.objects.checksum(row?.objectKey ?? '')).sha256).toBe(row?.checksum);
    expect(await services.metadata.coordination()).toEqual({ maxFactorial: 1000n, curFactorial: null });
  });

  it('finds rows that no message names', async () => {
    await services.ask(100n);
    await services.ask(101n);
    await withWorker(async () => {
      await until(async () => (await isSettled(100n)) && (await isSettled(101n)));
    });
    expect((await services.metadata.find(101n))?.status).toBe('done');
  });

  it('calculates once however often the request is delivered', async () => {
    await services.ask(2000n);
    await withWorker(async () => {
      for (let copy = 0; copy < 20; copy += 1) {
        await services.queue.publish('small.quick', { version: 1, number: '2000', attempt: 1 });
        await services.queue.publish('small.long', { version: 1, number: '2000', attempt: 1 });
      }
      await until(() => isSettled(2000n));
    });
    expect(await services.metadata.find(2000n)).toMatchObject({ status: 'done', fence: 1n });
    expect(await storedKeys()).toHaveLength(1);
  });

  it.each([
    [{ version: 2, number: '5', attempt: 1 }],
    [{ version: 1, number: '-5', attempt: 1 }],
    [{ version: 1, number: 5, attempt: 1 }],
    [{ version: 1, number: '5', attempt: 0 }],
    [{ version: 1, number: '5', attempt: 1, extra: true }],
    ['5'],
    [null],
  ])('refuses the message %j with a reason, for the dead letters', async (body) => {
    const delivery = { body, lane: 'small.quick', deliveryCount: 1 } as const;
    expect(await handleRequest(delivery, consumer())).toMatchObject({
      kind: 'deadLetter',
      reason: expect.stringMatching(/expected/),
    });
  });

  it('fails at once, with the reason, what no retry can help', async () => {
    await services.ask(50_000_000_000n);
    await withWorker(async () => until(() => isSettled(50_000_000_000n)), { largeFrom: 10n ** 18n });
    const row = await services.metadata.find(50_000_000_000n);
    expect(row).toMatchObject({ status: 'failed', failures: 1, error: { code: 'plan-capacity' } });
    expect(row?.error?.message).toMatch(/largest|at most|memory/i);
  });

  it('hands large numbers to the workflow, once per try', async () => {
    await services.ask(7000n);
    await withWorker(
      async () => {
        for (let copy = 0; copy < 3; copy += 1) {
          await services.queue.publish('large', { version: 1, number: '7000', attempt: 1 });
        }
        await until(async () => services.executions.length > 0);
        await new Promise((next) => setTimeout(next, 100));
      },
      { largeFrom: 7000n, sweepIntervalMs: 60_000 },
    );
    expect(services.executions).toEqual(['{"number":"7000","attempt":1}']);
    const row = await services.metadata.find(7000n);
    if (row === undefined) throw new Error('no row');
    expect(executionName(row)).toBe('factorial-7000-1-0');
    expect(executionName({ ...row, n: 2n ** 63n - 1n, attempt: 1_000_000, failures: 1_000_000 }).length).toBeLessThan(
      81,
    );
  });

  it('takes a row over when the lease of a dead worker has run out', async () => {
    await claimed(1500n, 60);
    await withWorker(async () => until(() => isSettled(1500n)));
    expect(await services.metadata.find(1500n)).toMatchObject({ status: 'done', fence: 2n, interruptions: 1 });
  });
});

describe('a long calculation', () => {
  /** Everything counts as long; the queue notes what was settled. */
  const long = { ackAfterDoneMaxSeconds: 0, quickMaxSeconds: 0 };

  it('is acknowledged when it is claimed, and still ends done', async () => {
    await services.ask(300_000n);
    const runs = new RunRegistry(testOptions().concurrency);
    const body = { version: 1, number: '300000', attempt: 1 };
    const delivery = { body, lane: 'small.long', deliveryCount: 1 } as const;
    expect(await handleRequest(delivery, consumer(long, runs))).toEqual({ kind: 'ack' });
    expect((await services.metadata.find(300_000n))?.status).not.toBe('done');
    await runs.idle(20_000);
    expect((await services.metadata.find(300_000n))?.status).toBe('done');
  });

  it('keeps its place in the lane: no more run at once than the lane has', async () => {
    const numbers = [200_000n, 200_001n, 200_002n];
    for (const n of numbers) await services.ask(n);
    let most = 0;
    const watch = setInterval(async () => {
      const rows = await Promise.all(numbers.map((n) => services.metadata.find(n)));
      most = Math.max(most, rows.filter((row) => row?.leaseOwner != null).length);
    }, 5);
    await withWorker(async () => until(async () => (await Promise.all(numbers.map(isSettled))).every(Boolean)), long);
    clearInterval(watch);
    expect(most).toBe(1);
  });

  it('is given back when the worker stops before it is done', async () => {
    await services.ask(3_000_000n);
    const worker = new Worker(services, testOptions(long), quiet);
    await worker.start();
    await until(async () => (await services.metadata.find(3_000_000n))?.leaseOwner != null);
    await worker.stop(50);
    expect(await services.metadata.find(3_000_000n)).toMatchObject({ leaseOwner: null, failures: 0, interruptions: 0 });
    expect(await storedKeys()).toEqual([]);
  });
});

describe('a cancelled calculation', () => {
  it('stops within two seconds, frees its place and leaves nothing behind', async () => {
    await services.ask(3_000_000n);
    await services.ask(3_000_001n);
    await withWorker(
      async () => {
        await until(async () => (await services.metadata.find(3_000_000n))?.leaseOwner != null);
        expect(await services.metadata.cancel(3_000_000n)).toBe('cancelled');
        const cancelledMs = performance.now();
        // The lane has one place: the next can only run once this one has stopped.
        await until(async () => (await services.metadata.find(3_000_001n))?.leaseOwner != null);
        expect(performance.now() - cancelledMs).toBeLessThan(2_000);
        await services.metadata.cancel(3_000_001n);
        await until(async () => (await storedKeys()).length === 0);
      },
      { heartbeatMs: 1_000, quickMaxSeconds: 0, leaseMs: 10_000 },
    );
    expect(await services.metadata.find(3_000_000n)).toMatchObject({ status: 'failed', error: { code: 'cancelled' } });
  });
});

describe('other systems', () => {
  it('are told how a request ended, and a worker does not mind when nobody can be told', async () => {
    const told: CalculationEvent[] = [];
    let broken = false;
    const queue = withFault(services.queue, {
      announce: async (event) => {
        if (broken) throw new TransientError('no broker');
        told.push(event);
      },
    });
    const runs = new RunRegistry(testOptions().concurrency);
    const handle = async (n: bigint, deliveryCount = 1, lane: Lane = 'small.quick') => {
      const delivery = {
        body: { version: 1, number: `${n}`, attempt: 1 },
        lane,
        deliveryCount,
      } as const;
      return await handleRequest(delivery, {
        ...consumer({ largeFrom: 10n ** 18n }, runs),
        services: { ...services, queue },
      });
    };
    for (const n of [1000n, 1001n, 50_000_000_000n]) await services.ask(n);
    expect(await handle(1000n)).toEqual({ kind: 'ack' });
    expect(await handle(50_000_000_000n, 1, 'small.long')).toEqual({ kind: 'ack' });
    expect(told).toEqual([
      { version: 1, event: 'done', number: '1000', attempt: 1, digits: '2568', checksum: thousand },
      { version: 1, event: 'failed', number: '50000000000', attempt: 1, code: 'plan-capacity' },
    ]);
    // A copy of the message, delivered for whatever reason, tells nothing again.
    await handle(1000n);
    await handle(1000n, 2);
    expect(told).toHaveLength(2);
    broken = true;
    expect(await handle(1001n)).toEqual({ kind: 'ack' });
    expect((await services.metadata.find(1001n))?.status).toBe('done');
    // The end stays recorded until somebody was told: a later sweep does it, once.
    await expect(announceEnds({ ...services, queue }, 0)).rejects.toThrow('no broker');
    broken = false;
    expect(await announceEnds({ ...services, queue }, 60_000)).toBe(0);
    expect(await announceEnds({ ...services, queue }, 0)).toBe(1);
    expect(told.at(-1)).toMatchObject({ event: 'done', number: '1001' });
    expect(await announceEnds({ ...services, queue }, 0)).toBe(0);
  });
});

describe('a calculation', () => {
  it('is tried again after a failure of the store, and failed for good after the last try', async () => {
    let tries = 0;
    const objects = withFault(services.objects, {
      sink: () => ({
        write: async () => {
          tries += 1;
          throw new TransientError('no space left on the device');
        },
      }),
    });
    await services.ask(300n);
    const worker = new Worker({ ...services, objects }, testOptions(), quiet);
    await worker.start();
    await until(() => isSettled(300n));
    await worker.stop(5_000);
    expect(tries).toBe(3);
    expect(await services.metadata.find(300n)).toMatchObject({
      status: 'failed',
      failures: 3,
      error: { code: 'transient', message: 'no space left on the device' },
    });
    expect(await storedKeys()).toEqual([]);
  });

  it('never publishes an object whose bytes were damaged in the store', async () => {
    const claim = await claimed(400n);
    const objects = withFault(services.objects, {
      stat: async (key) => {
        const found = await services.objects.stat(key);
        const files = await readdir(services.directory, { recursive: true });
        const file = files.find((name) => name.endsWith(key.split('/').at(-1) ?? ''));
        await writeFile(join(services.directory, file ?? ''), '7'.repeat(Number(found?.size)));
        return found;
      },
    });
    const outcome = await runCalculation(claim, { ...services, objects }, calculation, never);
    expect(outcome).toMatchObject({ kind: 'retry', reason: { code: 'corrupt-object' } });
    expect(await services.metadata.find(400n)).toMatchObject({ status: 'calculating', failures: 1, checksum: null });
    expect(await storedKeys()).toEqual([]);
  });

  it('writes nothing more once somebody else owns the row', async () => {
    const claim = await claimed(500_000n, 50);
    await new Promise((next) => setTimeout(next, 80));
    const other = await services.metadata.claim(500_000n, 'another', { leaseMs: 60_000, maxInterruptions: 5 });
    const outcome = await runCalculation(claim, services, calculation, never);
    expect(outcome).toEqual({ kind: 'stale' });
    expect(await storedKeys()).toEqual([]);
    const row = await services.metadata.find(500_000n);
    expect(row).toMatchObject({ status: 'calculating', leaseOwner: 'another', failures: 0 });
    expect(other.kind === 'claimed' && row?.objectKey === other.claim.objectKey).toBe(true);
  });

  it('gives the row back unharmed when it is told to stop', async () => {
    const claim = await claimed(1_000_000n);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('stop')), 100);
    expect(await runCalculation(claim, services, calculation, stop.signal)).toEqual({ kind: 'released' });
    expect(await services.metadata.find(1_000_000n)).toMatchObject({
      status: 'calculating',
      leaseOwner: null,
      failures: 0,
      interruptions: 0,
    });
    expect(await services.metadata.claimable(10)).toEqual([{ n: 1_000_000n, attempt: 1 }]);
    expect(await storedKeys()).toEqual([]);
  });

  it('keeps the published object when the answer to the publication was lost', async () => {
    const claim = await claimed(600n);
    const metadata = withFault(services.metadata, {
      complete: async (by, stored) => {
        await services.metadata.complete(by, stored);
        throw new TransientError('connection lost');
      },
    });
    const outcome = await runCalculation(claim, { ...services, metadata }, calculation, never);
    expect(outcome.kind).toBe('done');
    const row = await services.metadata.find(600n);
    expect(row?.status).toBe('done');
    expect(await storedKeys()).toEqual([row?.objectKey]);
  });

  it('gives up when its lease cannot be renewed for as long as it lasts', async () => {
    const claim = await claimed(2_000_000n, 300);
    const metadata = withFault(services.metadata, {
      renew: async () => {
        throw new TransientError('unreachable');
      },
    });
    const options = { ...calculation, leaseMs: 300, heartbeatMs: 50 };
    expect(await runCalculation(claim, { ...services, metadata }, options, never)).toEqual({ kind: 'stale' });
    expect(await storedKeys()).toEqual([]);
  });

  it('writes its progress with each heartbeat', async () => {
    const claim = await claimed(1_000_000n);
    const running = runCalculation(claim, services, { ...calculation, heartbeatMs: 20 }, never);
    await until(async () => ((await services.metadata.find(1_000_000n))?.progress?.done ?? 0) > 0);
    expect(await running).toMatchObject({ kind: 'done' });
  });
});

describe('the sweep', () => {
  it('of several workers at once publishes and calculates each row once or harmlessly twice', async () => {
    for (let n = 100n; n < 130n; n += 1n) await services.ask(n);
    const workers = ['one', 'two', 'three'].map(
      (owner) => new Worker({ ...services, queue: openQueue() }, testOptions({ owner }), quiet),
    );
    await Promise.all(workers.map((worker) => worker.start()));
    await until(async () => (await Promise.all([100n, 115n, 129n].map(isSettled))).every(Boolean));
    await until(async () => (await services.metadata.claimable(100)).length === 0);
    await Promise.all(workers.map((worker) => worker.stop(5_000)));
    const { rows } = await services.metadata.list(100);
    expect(rows.map(({ status, failures, interruptions }) => ({ status, failures, interruptions }))).toEqual(
      Array.from({ length: 30 }, () => ({ status: 'done', failures: 0, interruptions: 0 })),
    );
    expect((await storedKeys()).sort()).toEqual(rows.map((row) => row.objectKey).sort());
  });

  it('leaves a row alone whose message is on its way', async () => {
    await services.ask(5n);
    expect(await sweepUnclaimed(services, testOptions(), 60_000)).toBe(0);
    expect(await sweepUnclaimed(services, testOptions(), 0)).toBe(1);
  });

  it('stops at a full queue and goes on next time', async () => {
    for (let n = 10n; n < 20n; n += 1n) await services.ask(n);
    let room = 3;
    const full = new Proxy(services.queue, {
      get: (target, name) =>
        name === 'publish'
          ? async () => {
              if (room === 0) throw new CapacityError('full');
              room -= 1;
            }
          : Reflect.get(target, name, target),
    });
    expect(await sweepUnclaimed({ ...services, queue: full }, testOptions())).toBe(3);
    room = 100;
    expect(await sweepUnclaimed({ ...services, queue: full }, testOptions())).toBe(10);
  });

  it('removes objects that no row names once they are old, and no others', async () => {
    const claim = await claimed(700n);
    await runCalculation(claim, services, calculation, never);
    const digits = (async function* () {
      yield Buffer.from('123');
    })();
    await services.objects.sink('factorials/700/orphan.txt').write({ digits, digitCount: 3n });
    expect(await sweepObjects(services, testOptions())).toBe(0);
    await new Promise((next) => setTimeout(next, 20));
    expect(await sweepObjects(services, testOptions({ unfinishedMaxAgeMs: 1 }))).toBe(1);
    expect(await storedKeys()).toEqual([claim.objectKey]);
  });
});
