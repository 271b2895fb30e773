import { createHash } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { golden } from './golden.ts';
import { finished, Product, start, temporaryFolder, userEnvironment } from './product.ts';

/** The reference engine takes seconds where the default one is done before it can be interrupted. */
const slow = { ENGINE: 'gmp' };

const pause = (ms: number): Promise<void> => new Promise((settle) => setTimeout(settle, ms));

async function expectServed(product: Product, n: number): Promise<void> {
  const body = await (await fetch(`${product.url}/factorial/digits?number=${n}`)).arrayBuffer();
  expect(createHash('sha256').update(new Uint8Array(body)).digest('hex')).toBe(golden(n).sha256);
}

describe('the service loses nothing', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await folder.remove();
  });

  it('when it is killed at 20 random moments during calculations', async () => {
    const seed = Date.now() % 1_000_000;
    console.info(`random seed ${seed}`);
    let state = seed;
    const random = (): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
    const numbers = [1000, 5000, 100_000, 500_000, 1_000_000, 2_000_000];
    const requested = new Set<number>();
    for (let kill = 0; kill < 20; kill += 1) {
      const product = await Product.start(folder.path, slow, kill < 5 ? 'npm' : 'node');
      const number = numbers[kill % numbers.length] ?? 1000;
      const answer = await product.request(number);
      expect([200, 202]).toContain(answer.status);
      requested.add(number);
      await pause(random() * 1200);
      await product.kill();
    }
    const product = await Product.start(folder.path);
    for (const number of requested) {
      expect(await product.settled(number), `${number}! (seed ${seed})`).toMatchObject({
        status: 'done',
        checksum: golden(number).sha256,
      });
      await expectServed(product, number);
    }
    await product.stop();
  }, 280_000);

  it('when it is told to stop during a calculation: the next start takes it up again', async () => {
    const first = await Product.start(folder.path, { ...slow, DRAIN_SECONDS: '0.2', LOG_LEVEL: 'info' });
    await first.request(5000);
    await first.settled(5000);
    await first.request(1_000_000);
    await pause(300);
    expect((await first.stop('SIGTERM')).stdout.toString()).toContain('"msg":"stopped"');
    const second = await Product.start(folder.path);
    await expectServed(second, 5000);
    expect(await second.settled(1_000_000)).toMatchObject({ status: 'done', checksum: golden(1_000_000).sha256 });
    await second.stop();
  });

  it('when a second service is started on the same folder: the second refuses, the first goes on', async () => {
    const first = await Product.start(folder.path);
    await expect(Product.start(folder.path)).rejects.toThrow(
      /did not start: expected to hold .* alone, got a lock held by another process/,
    );
    expect((await first.request(5000)).status).toBe(202);
    expect((await first.settled(5000)).status).toBe('done');
    await first.stop();
  });
});

describe('a calculation that does not fit into memory', () => {
  it('goes to scratch files, ends with the published digits, and leaves none of them', async () => {
    const folder = await temporaryFolder();
    const product = await Product.start(folder.path, { COMPUTE_MEMORY_BYTES: '256MiB', COMPUTE_SCRATCH_BYTES: '4GiB' });
    const estimate = await fetch(`${product.url}/factorial/estimate?number=10000000`);
    expect(((await estimate.json()) as { scratchBytes: number }).scratchBytes).toBeGreaterThan(0);
    expect((await product.request(10_000_000)).status).toBe(202);
    expect(await product.settled(10_000_000)).toMatchObject({ status: 'done', checksum: golden(10_000_000).sha256 });
    expect(await readdir(join(folder.path, 'scratch'))).toEqual([]);
    await product.stop();
    await folder.remove();
  });
});

describe('a long calculation whose service is killed \u22129', () => {
  const n = 10_000_000;
  const settings = {
    COMPUTE_MEMORY_BYTES: '192MiB',
    COMPUTE_SCRATCH_BYTES: '4GiB',
    CHECKPOINT_FROM_SECONDS: '0',
    HEARTBEAT_SECONDS: '0.1',
    LOG_LEVEL: 'info',
  };
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await folder.remove();
  });
  const checkpoint = () => join(folder.path, 'scratch', `factorial-checkpoint-${n}-1`);

  /** How much is done, of all; waits for the first report that is at least this. */
  async function shareDone(product: Product, least: number): Promise<number> {
    for (let waitedMs = 0; waitedMs < 100_000; waitedMs += 50) {
      const { progress, status } = await product.metadata(n);
      if (status === 'done') return 1;
      const { phase, done, total } = (progress ?? { phase: '', done: 0, total: 1 }) as {
        phase: string;
        done: number;
        total: number;
      };
      if (phase !== '' && done / total >= least) return done / total;
      await pause(50);
    }
    throw new Error(`${n}! did not get to ${least} within 100 s`);
  }

  async function killedAt(least: number): Promise<number> {
    const product = await Product.start(folder.path, settings);
    expect((await product.request(n)).status).toBe(202);
    const share = await shareDone(product, least);
    await product.kill();
    expect(share).toBeLessThan(1);
    return share;
  }

  it('goes on from its last finished step in the next one', async () => {
    await killedAt(0.6);
    expect(await readdir(checkpoint())).toContain('checkpoint.json');
    const product = await Product.start(folder.path, settings);
    // The first report already has the planes and the finished steps.
    expect(await shareDone(product, 0.001)).toBeGreaterThan(0.28);
    expect(await product.settled(n)).toMatchObject({ status: 'done', checksum: golden(n).sha256 });
    const { stdout } = await product.stop('SIGTERM');
    expect(stdout.toString()).toContain('"msg":"going on from a checkpoint"');
    expect(await readdir(join(folder.path, 'scratch'))).toEqual([]);
  });

  it('notices what was damaged meanwhile and still ends with the right digits', async () => {
    await killedAt(0.5);
    for (const name of await readdir(checkpoint())) {
      if (!name.startsWith('blob-')) continue;
      const file = await open(join(checkpoint(), name), 'r+');
      const { size } = await file.stat();
      await file.write(Uint8Array.of(7), 0, 1, Math.floor(size / 3));
      await file.close();
    }
    const product = await Product.start(folder.path, settings);
    expect(await product.settled(n)).toMatchObject({ status: 'done', checksum: golden(n).sha256 });
    await product.stop();
    expect(await readdir(join(folder.path, 'scratch'))).toEqual([]);
  });

  it('leaves no checkpoint of a request that was cancelled before the next one', async () => {
    await killedAt(0.35);
    const product = await Product.start(folder.path, {
      ...settings,
      LONG_CONCURRENCY: '1',
      SWEEP_INTERVAL_SECONDS: '0.5',
    });
    await fetch(`${product.url}/factorial?number=${n}`, { method: 'DELETE' });
    const cancelledMs = Date.now();
    while ((await readdir(join(folder.path, 'scratch'))).length > 0) {
      expect(Date.now() - cancelledMs).toBeLessThan(2_500);
      await pause(20);
    }
    expect(await product.metadata(n)).toMatchObject({ status: 'failed', error: { code: 'cancelled' } });
    await product.stop();
  });
});

describe('a start that cannot work', () => {
  it.each([
    [{ PORT: 'http' }, /PORT: expected an integer from 0 to 65535, got "http"/],
    [{ MAX_NUMBER: '-1' }, /MAX_NUMBER: expected an integer from 0 to \d+, got "-1"/],
    [{ COMPUTE_MEMORY_BYTES: 'much' }, /COMPUTE_MEMORY_BYTES: expected a size .*, got "much"/],
    [
      { COMPUTE_MEMORY_BYTES: '128MiB' },
      /COMPUTE_MEMORY_BYTES: expected at least 201326592 \(192MiB\), .*, got 134217728/,
    ],
    [{ ENGINE: 'abacus' }, /ENGINE: expected .*, got "?abacus/],
    [{ DATA_DIR: '/dev/null/state' }, /did not start: .*\/dev\/null\/state/],
  ])('says which setting is wrong: %j', async (settings, message) => {
    const child = start('npm', ['start'], { env: userEnvironment({ PORT: '0', ...settings }) });
    const { code, stderr } = await finished(child);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  });
});
