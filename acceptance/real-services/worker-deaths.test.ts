import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { golden } from '../golden.ts';
import { type Deployment, eventually, post, settled, startDeployment } from './deployment.ts';
import { expectNothingLost } from './invariants.ts';
import type { ServiceProcess } from './service-process.ts';

const phases = ['claimed', 'computing', 'uploading', 'uploaded', 'published'] as const;
const pauseAtPhase = fileURLToPath(new URL('pause-at-phase.mjs', import.meta.url));
/** More than one part of an upload, and long enough to compute on the reference engine for a heartbeat or two. */
const n = 1_000_000;
const expected = new Map([[n, golden(n).sha256]]);
const slow = { ENGINE: 'gmp' };

let deployment: Deployment;
let api: ServiceProcess;
beforeAll(async () => {
  deployment = await startDeployment();
  api = await deployment.startApi();
}, 180_000);
afterAll(async () => {
  await deployment?.[Symbol.asyncDispose]();
});

afterEach(async () => {
  await deployment.killWorkers();
});

/** A fresh request for n, whatever the tests before left, and a worker that has reached this point of it. */
async function workerAt(phase: string): Promise<ServiceProcess> {
  const before = await deployment.metadata.find(BigInt(n));
  if (before?.status === 'done') {
    await deployment.metadata.removeDone(before);
    await deployment.objects.remove(before.objectKey);
  }
  const pause = { PAUSE_AT: phase, PAUSE_NUMBER: String(n) };
  const worker = await deployment.startWorker({ ...slow, ...pause }, [pauseAtPhase]);
  expect(await post(api, n)).toBe(202);
  await worker.said(new RegExp(`paused at ${phase}`));
  return worker;
}

/** Patience for a busy machine; nothing here is measured. */
const timeout = 300_000;

describe('a worker', { timeout }, () => {
  it.each(phases)(
    'killed −9 when it has %s loses nothing: another one carries the request to its end',
    async (phase) => {
      const worker = await workerAt(phase);
      await worker.kill();
      const other = await deployment.startWorker();
      await expectNothingLost(deployment, api, expected);
      const row = await settled(deployment.metadata, n);
      expect(row.interruptions).toBe(phase === 'published' ? 0 : 1);
      expect(await other.stop()).toBe(0);
    },
  );

  it.each(phases)('told to stop when it has %s ends in order and loses nothing', async (phase) => {
    const worker = await workerAt(phase);
    expect(await worker.stop()).toBe(0);
    expect(worker.lines.join('\n')).toContain('"msg":"stopped"');
    const row = await deployment.metadata.find(BigInt(n));
    expect(row).toMatchObject({ leaseOwner: null, interruptions: 0, failures: 0 });
    const other = await deployment.startWorker();
    await expectNothingLost(deployment, api, expected);
    await other.stop();
  });

  it('told to stop without time to finish gives the row back unharmed and leaves no object', async () => {
    const pause = { PAUSE_AT: 'computing', PAUSE_NUMBER: String(n) };
    await workerAt('published').then((worker) => worker.kill());
    const done = await settled(deployment.metadata, n);
    await deployment.metadata.removeDone(done);
    await deployment.objects.remove(done.objectKey);
    const worker = await deployment.startWorker({ ...slow, ...pause, DRAIN_SECONDS: '0' }, [pauseAtPhase]);
    await post(api, n);
    await worker.said(/paused at computing/);
    expect(await worker.stop()).toBe(0);
    const row = await deployment.metadata.find(BigInt(n));
    expect(row).toMatchObject({ status: 'calculating', leaseOwner: null, interruptions: 0, failures: 0 });
    const other = await deployment.startWorker();
    await expectNothingLost(deployment, api, expected);
    await other.stop();
  });

  it.each(['claimed', 'computing', 'uploading', 'uploaded'])(
    'that sleeps beyond its lease when it has %s and wakes writes nothing more',
    async (phase) => {
      const sleeper = await workerAt(phase);
      sleeper.signal('SIGSTOP');
      const other = await deployment.startWorker();
      const row = await settled(deployment.metadata, n);
      expect(row).toMatchObject({ status: 'done', interruptions: 1 });
      sleeper.signal('SIGCONT');
      sleeper.signal('SIGUSR2');
      await sleeper.said(/"outcome":"stale"/);
      // Nothing the sleeper did late has changed the row.
      expect(await deployment.metadata.find(BigInt(n))).toEqual(row);
      await expectNothingLost(deployment, api, expected);
      expect(await sleeper.stop()).toBe(0);
      await other.stop();
    },
  );

  it('whose clock is an hour off, ahead or behind, neither steals a row nor loses its own', async () => {
    const clock = fileURLToPath(new URL('wrong-clock.mjs', import.meta.url));
    const numbers = [100_000, 250_000];
    const ahead = await deployment.startWorker({ ...slow, CLOCK_OFFSET_HOURS: '1' }, [clock]);
    const behind = await deployment.startWorker({ ...slow, CLOCK_OFFSET_HOURS: '-1' }, [clock]);
    const right = await deployment.startWorker(slow);
    for (const number of numbers) await post(api, number);
    const rows = await Promise.all(numbers.map((number) => settled(deployment.metadata, number)));
    for (const row of rows) expect(row).toMatchObject({ status: 'done', fence: 1n, interruptions: 0, failures: 0 });
    await expectNothingLost(deployment, api, new Map(numbers.map((number) => [number, golden(number).sha256])));
    for (const worker of [ahead, behind, right]) expect(await worker.stop()).toBe(0);
  });

  it('reports itself unready as soon as it is told to stop, and alive until it ends', async () => {
    const worker = await workerAt('claimed');
    expect((await worker.readiness()).status).toBe('ready');
    // The pause goes on at the signal; the calculation then takes seconds.
    worker.signal('SIGTERM');
    await eventually('the worker to say so', 5_000, async () => {
      const { code } = await worker.readiness();
      return code === 503 ? true : undefined;
    });
    expect((await fetch(`${worker.url}/healthz`)).status).toBe(200);
    expect(await worker.stop()).toBe(0);
    expect((await settled(deployment.metadata, n)).status).toBe('done');
  });
});
