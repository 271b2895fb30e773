import { Readiness } from '@factorial/backing';
import { describe, expect, it } from 'vitest';
import { startHealthServer } from '../src/health/health-server.ts';

const checks = (ok: () => boolean) => [
  {
    name: 'metadata',
    required: true,
    ping: async () => {
      if (!ok()) throw new Error('away');
    },
  },
];

describe("a worker's probes", () => {
  it('tell alive from ready, follow the services, and say unready from the moment it drains', async () => {
    let up = false;
    const probes = await startHealthServer(
      new Readiness(
        checks(() => up),
        500,
      ),
      { host: '127.0.0.1', port: 0 },
    );
    const get = async (path: string) => {
      const response = await fetch(probes.url + path);
      return [response.status, ((await response.json()) as { status: string }).status];
    };
    expect(await get('/healthz')).toEqual([200, 'ok']);
    expect(await get('/readyz')).toEqual([503, 'unready']);
    up = true;
    expect(await get('/readyz?x=1')).toEqual([200, 'ready']);
    expect((await get('/factorial'))[0]).toBe(404);
    expect((await fetch(probes.url, { method: 'POST' })).status).toBe(405);
    probes.drain();
    expect(await get('/readyz')).toEqual([503, 'unready']);
    expect(await get('/healthz')).toEqual([200, 'ok']);
    await probes.close();
    await expect(fetch(`${probes.url}/healthz`)).rejects.toThrow();
  });

  it('refuse to start on a port that is taken', async () => {
    const readiness = new Readiness([], 500);
    const first = await startHealthServer(readiness, { host: '127.0.0.1', port: 0 });
    const port = Number(new URL(first.url).port);
    await expect(startHealthServer(readiness, { host: '127.0.0.1', port })).rejects.toThrow(/EADDRINUSE/);
    await first.close();
  });
});
