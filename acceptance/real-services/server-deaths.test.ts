import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../backing/dev/server.ts';
import { startTcpProxy, type TcpProxy, throughProxy } from '../../backing/dev/tcp-proxy.ts';
import { golden } from '../golden.ts';
import { type Deployment, eventually, post, settled, startDeployment } from './deployment.ts';
import { expectNothingLost } from './invariants.ts';
import type { ServiceProcess } from './service-process.ts';

/** Computed on the reference engine, this takes long enough to lose a server meanwhile. */
const n = 1_000_000;
const expected = new Map([[n, golden(n).sha256]]);
const servers = ['postgres', 'rabbitmq', 'redis', 'swift'] as const;
type ServerName = (typeof servers)[number];
/** What `/readyz` says while a server is away: the check that fails, and whether the API can do without it. */
const checks = {
  postgres: ['metadata', 503],
  rabbitmq: ['queue', 503],
  redis: ['cache', 200],
  swift: ['objects', 503],
} as const satisfies Record<ServerName, readonly [string, number]>;

let deployment: Deployment;
let proxies: Readonly<Record<ServerName, TcpProxy>>;
let api: ServiceProcess;
let worker: ServiceProcess;
beforeAll(async () => {
  deployment = await startDeployment();
  const before = (name: ServerName) => startTcpProxy(Number(new URL(deployment[name].url).port));
  const [postgres, rabbitmq, redis, swift] = await Promise.all(servers.map(before));
  if (!(postgres && rabbitmq && redis && swift)) throw new Error('expected a proxy before each server');
  proxies = { postgres, rabbitmq, redis, swift };
  const through = {
    DATABASE_URL: throughProxy(deployment.postgres.url, postgres),
    AMQP_URL: throughProxy(deployment.rabbitmq.url, rabbitmq),
    REDIS_URL: throughProxy(deployment.redis.url, redis),
    S3_ENDPOINT: throughProxy(deployment.swift.url, swift).replace(/\/$/, ''),
  };
  api = await deployment.startApi(through);
  worker = await deployment.startWorker({ ENGINE: 'gmp', RETRY_DELAY_SECONDS: '1', ...through });
}, 180_000);
afterAll(async () => {
  for (const proxy of Object.values(proxies ?? {})) await proxy.close();
  await deployment?.[Symbol.asyncDispose]();
});

/** A fresh request for n, and a worker that has begun it. */
async function begun(): Promise<void> {
  await deployment.forget(n);
  await post(api, n);
  await eventually('a worker to begin', 60_000, async () =>
    (await deployment.metadata.find(BigInt(n)))?.leaseOwner ? true : undefined,
  );
}

/** Done, or failed with its reason; then asking again helps. */
async function expectDoneInTheEnd(): Promise<void> {
  const row = await eventually('the store to answer', 60_000, async () => await settled(deployment.metadata, n));
  if (row.status === 'failed') {
    expect(row.error?.message).toBeTruthy();
    await post(api, n);
  }
  await eventually('the API to be ready', 60_000, async () =>
    (await api.readiness()).status === 'ready' ? true : undefined,
  );
  await expectNothingLost(deployment, api, expected);
}

async function expectReadiness(name: ServerName): Promise<void> {
  const [check, code] = checks[name];
  for (const process of [api, worker]) {
    const seen = await eventually(`readiness without ${name}`, 60_000, async () => {
      const readiness = await process.readiness();
      return readiness.checks[check] === false ? readiness : undefined;
    });
    expect(seen.code).toBe(code);
  }
  expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
}

/** Patience for a busy machine; nothing here is measured. */
const timeout = 300_000;

describe.each(servers)('while a calculation runs, %s', { timeout }, (name) => {
  const server = (): RunningServer => deployment[name];

  it('is killed −9 and started again: nothing is lost, and readyz tells the truth meanwhile', async () => {
    await begun();
    await server().kill();
    await expectReadiness(name);
    await server().start();
    await expectDoneInTheEnd();
  });

  it('loses every connection, again and again, then falls silent on those it has: nothing is lost', async () => {
    await begun();
    for (let cuts = 0; cuts < 3; cuts += 1) {
      proxies[name].cut();
      await delay(300);
    }
    // Half-open: the other machine is gone without a word, and only new connections reach one that answers.
    proxies[name].strand();
    await expectDoneInTheEnd();
  });

  it('stands still for 5 s: nothing is lost', async () => {
    await begun();
    server().pause();
    await delay(5_000);
    server().resume();
    await expectDoneInTheEnd();
  });
});

describe('a service whose servers refuse at its start', { timeout }, () => {
  it('starts, says that it is not ready, accepts no promise it cannot keep, and works as soon as they answer', async () => {
    await worker.stop();
    await Promise.all(servers.map((name) => deployment[name].stop()));
    const early = await deployment.startApi();
    const earlyWorker = await deployment.startWorker();
    for (const process of [early, earlyWorker]) expect(await process.readiness()).toMatchObject({ code: 503 });
    expect(await post(early, 777)).toBe(503);
    await Promise.all(servers.map((name) => deployment[name].start()));
    for (const process of [early, earlyWorker]) {
      await eventually('readiness', 90_000, async () =>
        (await process.readiness()).status === 'ready' ? true : undefined,
      );
    }
    expect(await post(early, 5_000)).toBe(202);
    await expectNothingLost(deployment, early, new Map([[5_000, golden(5_000).sha256]]));
    expect([await early.stop(), await earlyWorker.stop()]).toEqual([0, 0]);
  });
});
