import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { golden } from './golden.ts';
import { type Finished, finished, root, start, temporaryFolder, userEnvironment } from './product.ts';
import { ServiceProcess } from './real-services/service-process.ts';

const numbers = [20_000, 50_000];

describe('factorial prune on embedded results', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: ServiceProcess | undefined;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await service?.kill();
    await folder.remove();
  });

  const env = (dataDir = folder.path) => userEnvironment({ PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'warn' });

  /** As a user types it, in a folder without a `.env`. */
  async function prune(args: readonly string[], dataDir = folder.path): Promise<Finished> {
    const command = [join(root, 'bin', 'factorial.mjs'), 'prune', ...args];
    const options = {
      cwd: folder.path,
      env: env(dataDir),
      stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
    };
    return await finished(start(process.execPath, command, options));
  }

  const request = (path: string, init: RequestInit = {}) => fetch(`${service?.url}${path}`, init);

  async function ask(number: number): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    await request('/factorial', { method: 'POST', headers, body: JSON.stringify({ number }) });
    for (;;) {
      const row = (await (await request(`/factorial/metadata?number=${number}`)).json()) as { status: string };
      if (row.status === 'done') return;
      expect(row.status).not.toBe('failed');
      await new Promise((next) => setTimeout(next, 50));
    }
  }

  async function expectServed(number: number): Promise<void> {
    const digits = new Uint8Array(await (await request(`/factorial?number=${number}`)).arrayBuffer());
    expect(createHash('sha256').update(digits).digest('hex')).toBe(golden(number).sha256);
  }

  it('is refused beside the running service, which it does not harm, and says what to do; then it works', async () => {
    service = await ServiceProcess.start('main', env());
    for (const number of numbers) await ask(number);
    for (const args of [
      ['--until', '0'],
      ['--until', '0', '--dry-run'],
    ]) {
      const refused = await prune(args);
      expect([refused.code, refused.stdout.toString()]).toEqual([1, '']);
      expect(refused.stderr).toMatch(
        /^factorial: expected to hold .* alone, got a service that runs in it: stop it, run this again/,
      );
      expect(refused.stderr.trim().split('\n')).toHaveLength(1);
    }
    for (const number of numbers) await expectServed(number);
    expect(await service.stop()).toBe(0);

    const found = await prune(['--until', '0', '--dry-run']);
    expect([found.code, found.stderr]).toEqual([0, '']);
    expect(found.stdout.toString()).toContain('would remove 2 results');
    const pruned = await prune(['--until', '220kB']);
    expect([pruned.code, pruned.stderr]).toEqual([0, '']);
    // Read at the same moment: then the smaller n goes first.
    expect(pruned.stdout.toString()).toMatch(
      /^removed 20000! \(77338 bytes, [^\n]*\nremoved 1 results, 77338 bytes; 213237 bytes stay\n$/,
    );

    service = await ServiceProcess.start('main', env());
    await expectServed(50_000);
    expect((await request('/factorial/metadata?number=20000')).status).toBe(404);
    await ask(20_000);
    await expectServed(20_000);
    expect(await service.stop()).toBe(0);
  });

  it('is safe while a service starts: one of them holds the results, the other one says so', async () => {
    service = await ServiceProcess.start('main', env());
    await ask(20_000);
    expect(await service.stop()).toBe(0);
    const [pruned, started] = await Promise.allSettled([
      prune(['--until', '1GiB']),
      ServiceProcess.start('main', env()),
    ]);
    if (started.status === 'fulfilled') service = started.value;
    else expect(String(started.reason)).toMatch(/expected to hold .* alone/);
    if (pruned.status === 'rejected') throw pruned.reason;
    if (pruned.value.code !== 0) expect(pruned.value.stderr).toMatch(/expected to hold .* alone/);
    if (started.status === 'rejected') service = await ServiceProcess.start('main', env());
    await expectServed(20_000);
  });

  it('where no service ever ran says so instead of pruning nothing, and makes nothing there', async () => {
    const elsewhere = join(folder.path, 'elsewhere');
    const refused = await prune(['--until', '0'], elsewhere);
    expect([refused.code, refused.stdout.toString()]).toEqual([1, '']);
    expect(refused.stderr).toMatch(/DATA_DIR: expected the folder of a service, got .*elsewhere, where none ever ran/);
    expect(await readdir(folder.path)).toEqual([]);
  });
});
