import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { golden } from '../golden.ts';
import { type Finished, finished, root, start } from '../product.ts';
import { type Deployment, post, settled, startDeployment } from './deployment.ts';
import { expectFailedCleanly, expectNothingLost } from './invariants.ts';
import type { ServiceProcess } from './service-process.ts';

const goldenOf = (...numbers: readonly number[]) => new Map(numbers.map((n) => [n, golden(n).sha256]));

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

/** `factorial prune` beside the running service, as an operator types it. */
async function prune(until: string): Promise<Finished> {
  const command = [join(root, 'bin', 'factorial.mjs'), 'prune', '--until', until];
  return await finished(
    start(process.execPath, command, { env: deployment.environment(), stdio: ['ignore', 'pipe', 'pipe'] }),
  );
}

/** Patience for a busy machine; nothing here is measured. */
const timeout = 300_000;

describe('what an API has promised', { timeout }, () => {
  it('is kept when it is killed −9 amid a storm of requests, each answered one ending done', async () => {
    const doomed = await deployment.startApi();
    const numbers = [1_234, 2_000, 5_000, 9_999, 10_000, 20_000, 50_000, 65_535, 65_536, 100_000];
    const accepted = new Set<number>();
    const storm = numbers.map(async (n) => {
      if ((await post(doomed, n)) !== 202) throw new Error(`expected ${n}! to be accepted`);
      accepted.add(n);
      if (accepted.size === 3) await doomed.kill();
    });
    await Promise.allSettled(storm);
    expect(accepted.size).toBeGreaterThanOrEqual(3);
    await deployment.startWorker();
    await expectNothingLost(deployment, api, goldenOf(...accepted));
    await deployment.forget(...numbers);
  });

  it('is kept when the broker is away: the row is the request, and a sweep publishes it', async () => {
    const worker = await deployment.startWorker();
    await deployment.rabbitmq.kill();
    const numbers = [20_000, 50_000];
    try {
      expect(await Promise.all(numbers.map((n) => post(api, n)))).toEqual([202, 202]);
    } finally {
      await deployment.rabbitmq.start();
    }
    await expectNothingLost(deployment, api, goldenOf(...numbers));
    expect(await worker.stop()).toBe(0);
    await deployment.forget(...numbers);
  });

  it('is taken back by DELETE while it waits: no worker that comes later calculates it', async () => {
    const n = 300_000;
    expect(await post(api, n)).toBe(202);
    const deleted = await fetch(`${api.url}/factorial?number=${n}`, { method: 'DELETE' });
    expect(deleted.status).toBe(200);
    await expectFailedCleanly(deployment, n, 'cancelled');
    const worker = await deployment.startWorker();
    await worker.said(/"number":300000,"outcome":"settled"/);
    expect(await settled(deployment.metadata, n)).toMatchObject({ status: 'failed', attempt: 1 });
    expect(await post(api, n)).toBe(202);
    await expectNothingLost(deployment, api, goldenOf(n));
    expect(await worker.stop()).toBe(0);
  });
});

describe('retention beside the running service', { timeout }, () => {
  it('refuses what no longer fits with 507, prunes the least recently read first, and takes requests again', async () => {
    const full = await deployment.startApi({ OBJECTS_MAX_BYTES: '800kB' });
    const worker = await deployment.startWorker();
    await deployment.forget(20_000, 50_000, 300_000);
    const usedBytes = Number((await deployment.metadata.usage()).storedBytes);
    expect(usedBytes).toBeLessThan(20_000);
    for (const n of [50_000, 65_535]) {
      expect(await post(full, n)).toBe(202);
      expect(await settled(deployment.metadata, n)).toMatchObject({ status: 'done', lastReadAt: null });
    }
    await expectNothingLost(deployment, full, goldenOf(50_000));
    // Reads are noted every few seconds.
    await expect.poll(async () => (await deployment.metadata.find(50_000n))?.lastReadAt, { timeout }).not.toBeNull();
    expect(await post(full, 100_000)).toBe(507);
    expect((await prune('400kB')).stdout.toString()).toMatch(/^(removed .*! .*\n)+removed [0-9]+ results, .*\n$/);
    expect(await deployment.metadata.find(65_535n)).toBeUndefined();
    expect(await post(full, 65_536)).toBe(202);
    await expectNothingLost(deployment, full, goldenOf(50_000, 65_536));
    expect(await full.stop()).toBe(0);
    expect(await worker.stop()).toBe(0);
  });

  it('is safe while readers stream: each gets every digit, or is cut off and told so', async () => {
    const n = 3_000_000;
    const worker = await deployment.startWorker();
    await post(api, n);
    await expectNothingLost(deployment, api, goldenOf(n));
    const readers = await Promise.all([1, 2, 3, 4].map(() => fetch(`${api.url}/factorial/digits?number=${n}`)));
    expect((await prune('0')).code).toBe(0);
    for (const reader of readers) {
      expect(reader.status).toBe(200);
      const read = await reader.arrayBuffer().then(
        (digits) => createHash('sha256').update(new Uint8Array(digits)).digest('hex'),
        () => 'cut off',
      );
      expect([golden(n).sha256, 'cut off']).toContain(read);
    }
    expect((await fetch(`${api.url}/factorial/digits?number=${n}`)).status).toBe(404);
    for await (const { key } of deployment.objects.list()) expect(key).not.toContain(`factorials/${n}/`);
    await post(api, n);
    await expectNothingLost(deployment, api, goldenOf(n));
    expect(await worker.stop()).toBe(0);
  });
});
