import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { golden } from './golden.ts';
import { finished, Product, root, temporaryFolder, userEnvironment } from './product.ts';

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
    const numbers = [3000, 5000, 100_000, 500_000, 1_000_000, 2_000_000, 3_000_000];
    const requested = new Set<number>();
    for (let kill = 0; kill < 20; kill += 1) {
      const product = await Product.start(folder.path);
      const number = numbers[kill % numbers.length] ?? 3000;
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
    expect((await product.stop()).code).toBe(0);
    const leftovers = (await readdir(join(folder.path, 'objects'), { recursive: true })).filter((name) =>
      name.endsWith('.txt'),
    );
    expect(leftovers.length).toBeGreaterThanOrEqual(requested.size);
  }, 280_000);

  it('when it is told to stop during a calculation: the next start takes it up again', async () => {
    const first = await Product.start(folder.path, { DRAIN_SECONDS: '0.2' });
    await first.request(3000);
    await first.settled(3000);
    await first.request(3_000_000);
    await pause(300);
    expect((await first.stop('SIGTERM')).code).toBe(0);
    const second = await Product.start(folder.path);
    await expectServed(second, 3000);
    expect(await second.settled(3_000_000)).toMatchObject({ status: 'done', checksum: golden(3_000_000).sha256 });
    await second.stop();
  });

  it('when a second service is started on the same folder: the second refuses, the first goes on', async () => {
    const first = await Product.start(folder.path);
    await expect(Product.start(folder.path)).rejects.toThrow(/did not start: .*already/is);
    expect((await first.request(3000)).status).toBe(202);
    expect((await first.settled(3000)).status).toBe('done');
    await first.stop();
  });
});

describe('a start that cannot work', () => {
  it.each([
    [{ PORT: 'http' }, /PORT: expected an integer from 0 to 65535, got "http"/],
    [{ MAX_NUMBER: '-1' }, /MAX_NUMBER: expected an integer from 0 to \d+, got "-1"/],
    [{ COMPUTE_MEMORY_BYTES: 'much' }, /COMPUTE_MEMORY_BYTES: expected a size .*, got "much"/],
    [{ ENGINE: 'abacus' }, /ENGINE: expected .*, got "?abacus/],
    [{ DATA_DIR: '/proc/nowhere' }, /DATA_DIR|\/proc\/nowhere/],
  ])('says which setting is wrong: %j', async (settings, message) => {
    const child = spawn('npm', ['start'], { cwd: root, env: userEnvironment({ PORT: '0', ...settings }) });
    const { code, stderr } = await finished(child);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  });
});
