import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { golden } from '../golden.ts';
import { type Deployment, eventually, post, settled, startDeployment } from './deployment.ts';
import { expectFailedCleanly, expectNothingLost } from './invariants.ts';
import type { ServiceProcess } from './service-process.ts';

const phases = ['claimed', 'computing', 'uploading', 'uploaded', 'published'] as const;
const clock = fileURLToPath(new URL('wrong-clock.mjs', import.meta.url));
const pauseAtPhase = fileURLToPath(new URL('pause-at-phase.mjs', import.meta.url));
/** On the reference engine, long enough to compute for a heartbeat or two. */
const slow = { ENGINE: 'gmp' };
const long = 1_000_000;
/** More than one part of an upload, so that a death in the middle of it leaves an orphaned one. */
const inParts = 2_000_000;
const numberOf = (phase: string): number => (phase === 'claimed' || phase === 'computing' ? long : inParts);
const expectedOf = (...numbers: readonly number[]) => new Map(numbers.map((n) => [n, golden(n).sha256]));

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

/** A fresh request for the number of this phase, whatever the tests before left, and a worker that has reached this point of it. */
async function workerAt(phase: string, changes: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const n = numberOf(phase);
  await deployment.forget(n);
  const pause = { PAUSE_AT: phase, PAUSE_NUMBER: String(n), ...(n === long ? slow : {}), ...changes };
  const worker = await deployment.startWorker(pause, [pauseAtPhase]);
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
      const n = numberOf(phase);
      const worker = await workerAt(phase);
      await worker.kill();
      expect(await deployment.openUploads()).toBe(phase === 'uploading' ? 1 : 0);
      const other = await deployment.startWorker();
      await expectNothingLost(deployment, api, expectedOf(n));
      const row = await settled(deployment.metadata, n);
      expect(row.interruptions).toBe(phase === 'published' ? 0 : 1);
      expect(await other.stop()).toBe(0);
    },
  );

  it.each(phases)('told to stop when it has %s ends in order and loses nothing', async (phase) => {
    const n = numberOf(phase);
    const worker = await workerAt(phase);
    expect(await worker.stop()).toBe(0);
    expect(worker.lines.join('\n')).toContain('"msg":"stopped"');
    const row = await deployment.metadata.find(BigInt(n));
    expect(row).toMatchObject({ leaseOwner: null, interruptions: 0, failures: 0 });
    const other = await deployment.startWorker();
    await expectNothingLost(deployment, api, expectedOf(n));
    await other.stop();
  });

  it('told to stop without time to finish gives the row back unharmed and leaves no object', async () => {
    const n = numberOf('computing');
    const worker = await workerAt('computing', { DRAIN_SECONDS: '0' });
    expect(await worker.stop()).toBe(0);
    const row = await deployment.metadata.find(BigInt(n));
    expect(row).toMatchObject({ status: 'calculating', leaseOwner: null, interruptions: 0, failures: 0 });
    const other = await deployment.startWorker();
    await expectNothingLost(deployment, api, expectedOf(n));
    await other.stop();
  });

  it.each(['claimed', 'computing', 'uploading', 'uploaded'])(
    'that sleeps beyond its lease when it has %s and wakes writes nothing more',
    async (phase) => {
      const n = numberOf(phase);
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
      await expectNothingLost(deployment, api, expectedOf(n));
      expect(await sleeper.stop()).toBe(0);
      await other.stop();
    },
  );

  it('whose clock is an hour off, ahead or behind, neither steals a row nor loses its own', async () => {
    const numbers = [100_000, 250_000];
    const ahead = await deployment.startWorker({ ...slow, CLOCK_OFFSET_HOURS: '1' }, [clock]);
    const behind = await deployment.startWorker({ ...slow, CLOCK_OFFSET_HOURS: '-1' }, [clock]);
    const right = await deployment.startWorker(slow);
    for (const number of numbers) await post(api, number);
    const rows = await Promise.all(numbers.map((number) => settled(deployment.metadata, number)));
    for (const row of rows) expect(row).toMatchObject({ status: 'done', fence: 1n, interruptions: 0, failures: 0 });
    await expectNothingLost(deployment, api, expectedOf(...numbers));
    for (const worker of [ahead, behind, right]) expect(await worker.stop()).toBe(0);
  });

  it.each(['1', '-1'])(
    'killed −9 with a clock %s h off holds its row for its lease and no longer: the database alone judges it',
    async (hours) => {
      const n = numberOf('claimed');
      await deployment.forget(n);
      const pause = { PAUSE_AT: 'claimed', PAUSE_NUMBER: String(n), LEASE_SECONDS: '6' };
      const worker = await deployment.startWorker({ ...pause, CLOCK_OFFSET_HOURS: hours }, [clock, pauseAtPhase]);
      await post(api, n);
      await worker.said(/paused at claimed/);
      const held = await deployment.metadata.find(BigInt(n));
      // An hour behind the worker that dies, or ahead of it: its lease must be neither cut nor drawn out.
      const opposite = { CLOCK_OFFSET_HOURS: String(-Number(hours)) };
      const other = await deployment.startWorker(opposite, [clock]);
      // Two sweeps.
      await delay(1_200);
      expect(await deployment.metadata.find(BigInt(n))).toEqual(held);
      await worker.kill();
      const diedMs = performance.now();
      await settled(deployment.metadata, n);
      expect(performance.now() - diedMs).toBeLessThan(30_000);
      await expectNothingLost(deployment, api, expectedOf(n));
      expect(await settled(deployment.metadata, n)).toMatchObject({ interruptions: 1, failures: 0 });
      expect(await other.stop()).toBe(0);
    },
  );

  it('killed again and again by the same request gives it up with the reason, and works on the next one', async () => {
    const n = numberOf('claimed');
    const few = { INTERRUPTIONS_MAX: '2' };
    await (await workerAt('claimed', few)).kill();
    // The next one finds the lease run out, takes the row, and dies of it as well.
    const pause = { PAUSE_AT: 'claimed', PAUSE_NUMBER: String(n), ...few };
    const second = await deployment.startWorker(pause, [pauseAtPhase]);
    await second.said(/paused at claimed/);
    await second.kill();
    const other = await deployment.startWorker(few);
    await expectFailedCleanly(deployment, n, 'interrupted-too-often');
    expect(await post(api, 5_000)).toBe(202);
    await expectNothingLost(deployment, api, expectedOf(5_000));
    // Asked for again, it is tried again.
    expect(await post(api, n)).toBe(202);
    await expectNothingLost(deployment, api, expectedOf(n));
    expect(await settled(deployment.metadata, n)).toMatchObject({ attempt: 2 });
    await other.stop();
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
    expect((await settled(deployment.metadata, numberOf('claimed'))).status).toBe('done');
  });
});
