import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CalculationQueue, createRabbitmqCalculationQueue } from '@factorial/backing';
import { connect } from 'amqplib';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { golden } from '../golden.ts';
import { temporaryFolder } from '../product.ts';
import { type Deployment, eventually, post, settled, startDeployment } from './deployment.ts';
import { expectFailedCleanly, expectNothingLost } from './invariants.ts';
import { nodeOnDisk } from './node-on-disk.ts';
import type { ServiceProcess } from './service-process.ts';

const pauseAtPhase = fileURLToPath(new URL('pause-at-phase.mjs', import.meta.url));
const mebibyte = 2 ** 20;
const goldenOf = (...numbers: readonly number[]) => new Map(numbers.map((n) => [n, golden(n).sha256]));

let deployment: Deployment;
let api: ServiceProcess;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  deployment = await startDeployment();
  api = await deployment.startApi();
}, 180_000);
afterAll(async () => {
  await deployment?.[Symbol.asyncDispose]();
  await folder?.remove();
});

/** Patience for a busy machine; what is promised in seconds is asserted where it is promised. */
const timeout = 300_000;

describe('one API and one worker', { timeout }, () => {
  it('answer 100! within seconds while the same worker computes 30,000,000!', async () => {
    const worker = await deployment.startWorker({ ENGINE: 'gmp' });
    const long = 30_000_000;
    await post(api, long);
    await eventually('the long one to run', 60_000, async () =>
      (await deployment.metadata.find(BigInt(long)))?.leaseOwner ? true : undefined,
    );
    const startedMs = performance.now();
    expect(await post(api, 100)).toBe(202);
    expect((await settled(deployment.metadata, 100, 10_000)).status).toBe('done');
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(await deployment.metadata.find(BigInt(long))).toMatchObject({ status: 'calculating', fence: 1n });
    await fetch(`${api.url}/factorial?number=${long}`, { method: 'DELETE' });
    await expectFailedCleanly(deployment, long, 'cancelled');
    expect(await worker.stop()).toBe(0);
  });

  it('take messages that come doubled, out of order and of attempts long over, and calculate each n once', async () => {
    const numbers = [10_000, 20_000, 50_000, 65_535, 65_536, 123_456];
    const connection = await connect(deployment.rabbitmq.url);
    const channel = await connection.createConfirmChannel();
    const publish = (n: number, attempt: number) =>
      channel.publish(
        'factorial',
        'request.small.quick',
        Buffer.from(JSON.stringify({ version: 1, number: String(n), attempt })),
        { persistent: true },
      );
    // Before anybody asked: nobody's business. Then the requests, and each of them five times over, the last first.
    for (const n of numbers) publish(n, 1);
    for (const n of numbers) expect(await post(api, n)).toBe(202);
    for (let doubles = 0; doubles < 5; doubles += 1)
      for (const n of numbers.toReversed()) publish(n, 1 + (doubles % 3));
    await channel.waitForConfirms();
    const worker = await deployment.startWorker();
    await expectNothingLost(deployment, api, goldenOf(...numbers));
    for (const n of numbers) {
      expect(await settled(deployment.metadata, n)).toMatchObject({ fence: 1n, attempt: 1, failures: 0 });
    }
    const done = worker.lines.filter((line) => line.includes('calculation done'));
    expect(done).toHaveLength(numbers.length);
    await connection.close();
    expect(await worker.stop()).toBe(0);
  });

  it('carry on when the broker takes messages back in the middle of their calculation and delivers them again', async () => {
    const n = 20_000;
    await deployment.forget(n);
    const pause = { PAUSE_AT: 'claimed', PAUSE_NUMBER: String(n), LEASE_SECONDS: '60', QUICK_CONCURRENCY: '2' };
    const worker = await deployment.startWorker(pause, [pauseAtPhase]);
    await post(api, n);
    await worker.said(/paused at claimed/);
    // The message is unacknowledged; the broker closes the connection it was delivered on.
    await deployment.rabbitmq.control('close_all_connections', 'taken back by the test');
    await worker.said(/"number":20000,"outcome":"leased"/);
    worker.signal('SIGUSR2');
    await expectNothingLost(deployment, api, goldenOf(n));
    expect(await settled(deployment.metadata, n)).toMatchObject({ fence: 1n, failures: 0, interruptions: 0 });
    expect(await worker.stop()).toBe(0);
  });

  it('serve every digit right while Redis forgets everything again and again, or has no room at all', async () => {
    const worker = await deployment.startWorker();
    const numbers = [20_000, 50_000, 65_535, 100_000];
    await deployment.forget(...numbers);
    const redis = new Redis(deployment.redis.url);
    try {
      let forgetting = true;
      const forgotten = (async () => {
        for (let times = 0; forgetting; times += 1) {
          // Every other time there is not even room for a single key.
          await redis.config('SET', 'maxmemory', times % 2 === 0 ? '1' : '64mb');
          await redis.flushall();
          await new Promise((next) => setTimeout(next, 15));
        }
      })();
      for (const n of numbers) expect(await post(api, n)).toBe(202);
      for (const n of numbers) expect((await settled(deployment.metadata, n)).status).toBe('done');
      const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => digitsOf(numbers[index % 4] ?? 0)));
      for (const [n, sha256] of answers) expect(sha256).toBe(golden(n).sha256);
      // A cache that is full is a cache that misses: nobody is unready for it.
      expect((await api.readiness()).code).toBe(200);
      expect((await worker.readiness()).code).toBe(200);
      forgetting = false;
      await forgotten;
      await redis.config('SET', 'maxmemory', '64mb');
      await eventually('a hit', 20_000, async () =>
        (await fetch(`${api.url}/factorial?number=20000`)).headers.get('x-cache') === 'HIT' ? true : undefined,
      );
      await expectNothingLost(deployment, api, goldenOf(...numbers));
    } finally {
      redis.disconnect();
    }
    expect(await worker.stop()).toBe(0);
  });

  it('fail a calculation whose scratch disk fills up with the reason, do others meanwhile, and do it when there is room', async () => {
    const n = 10_000_000;
    const scratch = join(folder.path, 'scratch');
    await mkdir(scratch);
    const memory = {
      COMPUTE_MEMORY_BYTES: '192MiB',
      QUICK_CONCURRENCY: '1',
      COMPUTE_SCRATCH_BYTES: '1GiB',
      THREADS: '1',
    };
    const worker = await deployment.startWorker({ ...memory, SCRATCH_DIR: scratch, FAILURES_MAX: '2' }, [], {
      node: await nodeOnDisk({ program: join(folder.path, 'node-on-disk'), path: scratch, bytes: 200 * mebibyte }),
    });
    // The disk as the worker sees it: nobody else does.
    const seen = join(`/proc/${worker.pid}/root`, scratch);
    const filler = join(seen, 'filler');
    expect(await post(api, n)).toBe(202);
    // From its first scratch file on it stands still, however long filling the disk takes here.
    await eventually('a scratch file', 60_000, async () => ((await readdir(seen)).length > 0 ? true : undefined), 2);
    worker.signal('SIGSTOP');
    await writeFile(filler, Buffer.alloc(200 * mebibyte)).catch(() => undefined);
    worker.signal('SIGCONT');
    await expectFailedCleanly(deployment, n, 'scratch-full');
    expect((await settled(deployment.metadata, n)).failures).toBe(2);
    // What needs no scratch goes on meanwhile, and the worker does not call itself unready for it.
    await deployment.forget(5_000);
    await post(api, 5_000);
    await expectNothingLost(deployment, api, goldenOf(5_000));
    expect((await worker.readiness()).status).toBe('ready');
    await rm(filler);
    expect(await post(api, n)).toBe(202);
    await expectNothingLost(deployment, api, goldenOf(n), timeout);
    expect(await worker.stop()).toBe(0);
  });

  it('put messages aside that no worker can read, say why, and go on: the queue holds none of them up', async () => {
    const worker = await deployment.startWorker();
    const garbage = ['', '{', '{"version":2,"number":"7","attempt":1}', `"${'9'.repeat(100_000)}"`];
    const connection = await connect(deployment.rabbitmq.url);
    const channel = await connection.createConfirmChannel();
    for (const lane of ['small.quick', 'small.long', 'large']) {
      for (const text of garbage) channel.publish('factorial', `request.${lane}`, Buffer.from(text));
    }
    await channel.waitForConfirms();
    await connection.close();
    await using queue = disposable(createRabbitmqCalculationQueue({ url: deployment.rabbitmq.url }));
    const letters = await eventually('the dead letters', 20_000, async () => {
      const found = await queue.deadLetters(100);
      return found.length === 3 * garbage.length ? found : undefined;
    });
    for (const { reason } of letters) expect(reason).toMatch(/^expected /);
    await deployment.forget(5_000);
    expect(await post(api, 5_000)).toBe(202);
    await deadLettersEmptied();
    await expectNothingLost(deployment, api, goldenOf(5_000));
    expect(await worker.stop()).toBe(0);
  });
});

async function digitsOf(n: number): Promise<[number, string]> {
  const answer = await fetch(`${api.url}/factorial?number=${n}`);
  if (answer.status !== 200) throw new Error(`expected the digits of ${n}!, got ${answer.status}`);
  const digits = new Uint8Array(await answer.arrayBuffer());
  return [n, createHash('sha256').update(digits).digest('hex')];
}

/** As an operator does who has looked at them. */
async function deadLettersEmptied(): Promise<void> {
  const connection = await connect(deployment.rabbitmq.url);
  await (await connection.createChannel()).purgeQueue('factorial.dead');
  await connection.close();
}

function disposable(queue: CalculationQueue): CalculationQueue & AsyncDisposable {
  return Object.assign(queue, { [Symbol.asyncDispose]: () => queue.close(0) });
}
