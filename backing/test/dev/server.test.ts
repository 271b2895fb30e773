import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../../dev/process-tree.ts';
import { startRedis } from '../../dev/redis.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures', name);

describe('a private server', () => {
  test('is gone with its directory after dispose, and a second dispose is fine', async () => {
    const server = await startRedis();
    const { pids, directory } = server;
    expect(pids.length).toBeGreaterThan(0);
    await server.dispose();
    await server.dispose();
    expect(pids.some(isAlive)).toBe(false);
    expect(existsSync(directory)).toBe(false);
  });

  test('keeps port and directory over kill and start, and does not start twice', async () => {
    const server = await startRedis();
    const before = server.pids;
    await server.kill();
    expect(server.pids).toEqual([]);
    await server.start();
    expect(server.pids).not.toEqual(before);
    await expect(server.start()).rejects.toThrow('to be stopped before a start');
    await server.dispose();
  });

  test('can be stopped while it is paused', async () => {
    const server = await startRedis();
    server.pause();
    const started = performance.now();
    await server.dispose();
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test('five at once get five ports', async () => {
    const servers = await Promise.all(Array.from({ length: 5 }, () => startRedis()));
    expect(new Set(servers.map((server) => server.url)).size).toBe(5);
    await Promise.all(servers.map((server) => server.dispose()));
  });

  test('that cannot start says what its log says, and leaves nothing', async () => {
    await expect(startRedis({ evictionPolicy: 'nonsense' })).rejects.toThrow(/redis ended at its start[\s\S]*nonsense/);
  });

  test('ends when the process that started it is killed without a word, even while it is paused', async () => {
    const starter = spawn(process.execPath, [fixture('start-redis-and-wait.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve) => starter.stdout.once('data', (data) => resolve(String(data))));
    const { pids, directory } = JSON.parse(line) as { readonly pids: number[]; readonly directory: string };
    expect(pids.every(isAlive)).toBe(true);
    starter.kill('SIGKILL');
    await expect.poll(() => pids.some(isAlive), { timeout: 5_000 }).toBe(false);
    await rm(directory, { recursive: true, force: true });
  });

  test('whose package cannot be installed names the package and the variable to set instead', async () => {
    const asNobody = process.getuid?.() === 0 ? ['setpriv', '--reuid', '65534', '--clear-groups'] : [];
    const [command = '', ...rest] = [...asNobody, process.execPath, fixture('need-a-package.ts')];
    const { stdout } = await promisify(execFile)(command, rest);
    expect(stdout).toContain('MissingPackageError');
    expect(stdout).toContain('redis-server');
    expect(stdout).toContain('TEST_REDIS_URL');
  });
});
