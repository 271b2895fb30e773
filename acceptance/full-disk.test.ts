import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { golden } from './golden.ts';
import { finished, root, temporaryFolder, userEnvironment } from './product.ts';

const mebibyte = 2 ** 20;
const diskBytes = 32 * mebibyte;
/** 11.7 million digits; on the reference engine there is time to fill the disk before they are written. */
const n = 2_000_000;

/** The service with its folder on a disk of its own, which is full when the test says so. */
describe('a service whose disk fills up', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let url: string;
  let filler: string;
  let stop: () => Promise<unknown>;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const main = join(root, 'service', 'dist', 'start', 'main.js');
    const settings = { PORT: '0', DATA_DIR: folder.path, LOG_LEVEL: 'warn', ENGINE: 'gmp', FAILURES_MAX: '1' };
    const script = `mount -t tmpfs -o size=${diskBytes} none "$DATA_DIR" && exec "$0" "$1"`;
    const child = spawn('unshare', ['--map-root-user', '--mount', 'sh', '-c', script, process.execPath, main], {
      cwd: root,
      env: userEnvironment(settings),
    });
    const ended = finished(child, 300_000);
    ended.catch(() => undefined);
    url = await new Promise<string>((settle, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        const match = /Factorial service at (http:\S+)/.exec(chunk.toString());
        if (match?.[1] !== undefined) settle(match[1]);
      });
      void ended.then(({ code, stderr }) => reject(new Error(`ended with ${code}: ${stderr}`)), reject);
    });
    // The disk as the service sees it: nobody else does.
    filler = join(`/proc/${child.pid}/root`, folder.path, 'filler');
    stop = async () => {
      child.kill('SIGTERM');
      return await ended;
    };
  });
  afterAll(async () => {
    await stop();
    await folder.remove();
  });

  const post = (number: number) =>
    fetch(`${url}/factorial`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ number }),
    });
  const settled = async (number: number) => {
    for (;;) {
      const answer = await fetch(`${url}/factorial/metadata?number=${number}`);
      const row = (await answer.json()) as {
        status: string;
        checksum: string;
        error: { code: string; message: string };
      };
      if (row.status === 'done' || row.status === 'failed') return row;
      await new Promise((next) => setTimeout(next, 100));
    }
  };
  const fill = (leaveBytes: number) =>
    writeFile(filler, Buffer.alloc(diskBytes - leaveBytes - 2 * mebibyte)).catch(() => undefined);

  it('ends a calculation that no longer fits as failed, with the reason, and does it when there is room again', async () => {
    expect((await post(n)).status).toBe(202);
    await fill(5 * mebibyte);
    expect(await settled(n)).toMatchObject({ status: 'failed', error: { code: 'capacity' } });
    // What no longer fits is refused before anybody computes it.
    expect([507, 422]).toContain((await post(n)).status);
    await rm(filler);
    expect((await post(n)).status).toBe(202);
    expect(await settled(n)).toMatchObject({ status: 'done', checksum: golden(n).sha256 });
    const digits = new Uint8Array(await (await fetch(`${url}/factorial/digits?number=${n}`)).arrayBuffer());
    expect(createHash('sha256').update(digits).digest('hex')).toBe(golden(n).sha256);
  });

  it('without a single free byte still answers, serves what it has, and goes on when there is room', async () => {
    await writeFile(filler, Buffer.alloc(diskBytes)).catch(() => undefined);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/factorial/digits?number=${n}`, { method: 'HEAD' })).status).toBe(200);
    const refused = await post(50_000);
    expect(refused.status).toBeGreaterThanOrEqual(422);
    expect(refused.headers.get('content-type')).toMatch(/problem\+json/);
    await rm(filler);
    expect((await post(50_000)).status).toBe(202);
    expect(await settled(50_000)).toMatchObject({ status: 'done', checksum: golden(50_000).sha256 });
  });
});
