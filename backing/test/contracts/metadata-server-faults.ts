import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect, promisify } from 'node:util';
import { type Dialect, Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../dev/server.ts';
import { startTcpProxy, type TcpProxy, throughProxy } from '../../dev/tcp-proxy.ts';
import { TransientError } from '../../src/contracts/errors.ts';
import type { MetadataStore } from '../../src/metadata/metadata-store.ts';
import type { ServerStoreOptions } from '../../src/metadata/server-store-options.ts';
import type { TestDatabase } from '../databases/test-database.ts';
import { endWhileSilent } from '../fixtures/end-while-silent.ts';

/** A kind of database server, started privately for these tests because they kill it. */
export interface DatabaseServerKind {
  startServer(): Promise<RunningServer>;
  createDatabase(serverUrl: string, onDropped: () => Promise<void>): Promise<TestDatabase>;
  createStore(options: ServerStoreOptions): MetadataStore;
  /** The store's own connections, to hold a transaction open as a frozen worker does. */
  connection(options: ServerStoreOptions): Dialect;
  /** A statement that takes this many seconds. */
  sleepStatement(seconds: number): string;
  /** Statements that give new sessions of a database other defaults than usual, and those that take them back. */
  strangeDefaults(databaseName: string): readonly string[];
  readonly usualDefaults: readonly string[];
}

const limits = { leaseMs: 60_000, maxInterruptions: 100 };
const bounds = { connectTimeoutMs: 1_000, statementTimeoutMs: 1_000, poolMax: 5 };
/** For what must succeed on a machine that is busy with other tests. */
const patience = { connectTimeoutMs: 10_000, statementTimeoutMs: 10_000 };
/** A connection, and a statement with its grace; the rest is a slow machine. */
const callBoundMs = 1_000 + 2_000 + 1_500;

export function describeMetadataServerFaults(name: string, kind: DatabaseServerKind): void {
  describe(`${name} under faults of its server`, () => {
    let server: RunningServer;
    let database: TestDatabase;
    let proxy: TcpProxy;
    const opened: MetadataStore[] = [];

    const open = (options: Partial<ServerStoreOptions> = {}): MetadataStore => {
      const store = kind.createStore({ url: throughProxy(database.url, proxy), ...bounds, ...options });
      opened.push(store);
      return store;
    };
    const request = (store: MetadataStore, n: bigint) =>
      store.request({ n, digits: 10n, trailingZeros: 2n, client: 'alice' });

    beforeAll(async () => {
      server = await kind.startServer();
    });

    beforeEach(async () => {
      database = await kind.createDatabase(server.url, async () => {});
      proxy = await startTcpProxy(Number(new URL(database.url).port));
      const store = open(patience);
      await store.migrate();
    });

    afterEach(async () => {
      server.resume();
      proxy.restore();
      await Promise.all(opened.splice(0).map((store) => store.close()));
      await proxy.close();
      await database.drop();
    });

    afterAll(async () => {
      await server.dispose();
    });

    test('killed and restarted during use, it loses no acknowledged row, and the same store goes on', async () => {
      const store = open();
      const acknowledged: bigint[] = [];
      const faults: unknown[] = [];
      let isOver = false;
      let next = 1n;
      const ask = async () => {
        while (!isOver) {
          const n = next++;
          await request(store, n).then(
            () => acknowledged.push(n),
            (fault) => faults.push(fault),
          );
        }
      };
      const askers = Array.from({ length: 8 }, ask);
      for (let round = 0; round < 2; round++) {
        await sleep(300);
        await server.kill('SIGKILL');
        await sleep(100);
        await server.start();
      }
      await expect
        .poll(
          () =>
            store.ping().then(
              () => 'up',
              () => 'down',
            ),
          { timeout: 10_000 },
        )
        .toBe('up');
      const before = acknowledged.length;
      await expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(before + 20);
      isOver = true;
      await Promise.all(askers);
      expect(faults.length).toBeGreaterThan(0);
      expect(faults.filter((fault) => !(fault instanceof TransientError))).toEqual([]);
      const rows = await database.execute('select n from factorials');
      const kept = new Set(rows.map((row) => BigInt(row.n as string | number)));
      expect(acknowledged.filter((n) => !kept.has(n))).toEqual([]);
    });

    test('refused at start-up, every call fails within its bound, and the first one after the start succeeds', async () => {
      await proxy.refuse();
      const store = open();
      for (const call of [() => store.ping(), () => store.find(1n), () => request(store, 1n), () => store.migrate()]) {
        await expectBounded(call);
      }
      await proxy.accept();
      expect(await store.migrate()).toEqual([]);
      expect((await request(store, 1n)).created).toBe(true);
    });

    test('cut while statements run, each call fails at once and the next one succeeds', async () => {
      const store = open(patience);
      await request(store, 1n);
      for (let round = 0; round < 5; round++) {
        const calls = Array.from({ length: 20 }, (_, index) => store.claim(1n, `w${index}`, limits));
        await sleep(round * 3);
        proxy.cut();
        for (const { status, reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[]) {
          if (status === 'rejected') expect(reason).toBeInstanceOf(TransientError);
        }
        // Time for the reset to arrive: a connection that looks well may still be handed out before.
        await sleep(30);
        expect((await store.find(1n))?.n).toBe(1n);
      }
      expect((await store.find(1n))?.fence).toBeLessThanOrEqual(1n);
    });

    test('idle connections that were cut are replaced without an error', async () => {
      const store = open(patience);
      await Promise.all(Array.from({ length: 10 }, () => store.ping()));
      expect(proxy.connectionCount).toBeGreaterThan(1);
      proxy.cut();
      await sleep(50);
      await Promise.all(Array.from({ length: 10 }, () => store.ping()));
    });

    test('half-open, every call fails within its bound, closing too, and after the healing calls succeed', async () => {
      const store = open();
      const closing = open();
      await Promise.all([store.ping(), store.ping(), closing.ping()]);
      proxy.stall();
      await Promise.all(Array.from({ length: 12 }, () => expectBounded(() => store.claim(1n, 'w', limits))));
      await expectBounded(() => store.ping());
      const started = performance.now();
      await closing.close();
      expect(performance.now() - started).toBeLessThan(callBoundMs);
      proxy.restore();
      expect((await request(store, 2n)).created).toBe(true);
    });

    test('a connection that silently died is given up after one bounded call', async () => {
      const store = open();
      await store.ping();
      proxy.strand();
      await expectBounded(() => request(store, 1n));
      const started = performance.now();
      expect((await request(store, 1n)).created).toBe(true);
      expect(performance.now() - started).toBeLessThan(900);
    });

    test('a process that closes its store while the server is silent can end', async () => {
      expect(await endWhileSilent(throughProxy(database.url, proxy), proxy)).toBeLessThan(callBoundMs);
    });

    test('a statement judges time after the wait for a lock, and cur_factorial follows what was committed meanwhile', async () => {
      const store = open(patience);
      await request(store, 10n);
      await request(store, 20n);
      await request(store, 30n);
      const claim = await store.claim(10n, 'w', limits);
      if (claim.kind !== 'claimed') throw new Error(`expected a claim, got ${claim.kind}`);
      const held = database.execute(
        `begin; select cur_factorial from coordination for update; select n from factorials where n = 30 for update;
         ${kind.sleepStatement(1.2)};
         update factorials set lease_owner = 'x', lease_until = '2100-01-01 00:00:00' where n = 20; commit`,
      );
      await sleep(200);
      const started = Date.now();
      const completing = store.complete(claim.claim, { size: 10n, checksum: 'ab'.repeat(32) });
      const claiming = store.claim(30n, 'w', limits);
      await Promise.all([held, completing]);
      const [coordination] = await database.execute('select max_factorial, cur_factorial from coordination');
      expect(Number(coordination?.max_factorial)).toBe(10);
      expect([20, 30]).toContain(Number(coordination?.cur_factorial));
      const outcome = await claiming;
      if (outcome.kind !== 'claimed') throw new Error(`expected a claim, got ${outcome.kind}`);
      // The lease counts from when the row was had, not from when the call began to wait for it.
      expect((outcome.row.leaseUntil?.getTime() ?? 0) - started).toBeGreaterThan(limits.leaseMs + 700);
    });

    test('stalled for five seconds, calls fail within their bound meanwhile; a patient store waits and succeeds', async () => {
      const store = open();
      const patient = open({ statementTimeoutMs: 10_000, connectTimeoutMs: 10_000 });
      await Promise.all([store.ping(), patient.ping()]);
      server.pause();
      const waiting = request(patient, 3n);
      const stalledUntil = sleep(5_000);
      await Promise.all([
        expectBounded(() => store.ping()),
        expectBounded(() => request(store, 1n)),
        expectBounded(() => store.claim(1n, 'w', limits)),
      ]);
      await stalledUntil;
      server.resume();
      expect((await waiting).created).toBe(true);
      expect((await store.claim(3n, 'w', limits)).kind).toBe('claimed');
    });

    test('a row locked by somebody else makes a call fail within its bound, not wait for ever', async () => {
      const store = open();
      await request(store, 1n);
      const held = database.execute(
        `begin; select n from factorials where n = 1 for update; ${kind.sleepStatement(3)}; commit`,
      );
      await sleep(300);
      const fault = await expectBounded(() => store.claim(1n, 'w', limits));
      // The server ended the statement; a server that is well is not left with it.
      expect(String(fault)).toContain('could not serve the call now');
      expect((await store.find(1n))?.leaseOwner).toBeNull();
      await held;
      expect((await store.claim(1n, 'w', limits)).kind).toBe('claimed');
    });

    test('a worker frozen inside a transaction loses its locks, so that others go on', async () => {
      const store = open({ connectTimeoutMs: 10_000, statementTimeoutMs: 8_000 });
      await request(store, 1n);
      const frozen = new Kysely<{ factorials: { n: bigint } }>({
        dialect: kind.connection({ url: database.url, ...bounds }),
      });
      const thawed = Promise.withResolvers<undefined>();
      const held = frozen.transaction().execute(async (transaction) => {
        await sql`select n from factorials where n = 1 for update`.execute(transaction);
        await thawed.promise;
        await sql`update factorials set fence = 99 where n = 1`.execute(transaction);
      });
      await sleep(100);
      expect((await store.claim(1n, 'w', limits)).kind).toBe('claimed');
      thawed.resolve(undefined);
      await expect(held).rejects.toThrow();
      await frozen.destroy();
      expect((await store.find(1n))?.fence).toBe(1n);
    });

    test('a hundred calls at once use at most the connections of the pool', async () => {
      const store = open({ ...patience, poolMax: 3 });
      const before = proxy.connectionCount;
      const calls = Array.from({ length: 100 }, (_, index) => request(store, BigInt(index)));
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, proxy.connectionCount);
      }, 1);
      await Promise.all(calls);
      clearInterval(watch);
      expect(most - before).toBeLessThanOrEqual(3);
      expect(most - before).toBeGreaterThan(0);
    });

    test('calls beyond the queue of the pool are refused at once', async () => {
      const store = open({ ...patience, poolMax: 1, poolQueueMax: 5 });
      await store.ping();
      const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => store.ping()));
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(refused.length).toBeGreaterThan(30);
      expect(refused.every((outcome) => outcome.reason instanceof TransientError)).toBe(true);
      await store.ping();
    });

    test('a database that is not there yet is a transient fault that keeps the password to itself', async () => {
      const url = new URL(database.url);
      url.pathname = '/no_such_database';
      url.password = 'secret-word';
      const store = open({ url: url.href });
      const fault = await store.ping().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(fault).toBeInstanceOf(TransientError);
      expect(inspect(fault)).not.toContain('secret-word');
    });

    test('migrations from five stores at once are applied once', async () => {
      const empty = await kind.createDatabase(server.url, async () => {});
      const stores = Array.from({ length: 5 }, () => open({ ...patience, url: empty.url }));
      const applied = await Promise.all(stores.map((store) => store.migrate()));
      expect(applied.flat()).toEqual(['0001_factorials', '0002_done', '0003_usage', '0004_outcomes']);
      expect(await stores[0]?.coordination()).toEqual({ maxFactorial: null, curFactorial: null });
      await Promise.all(stores.map((store) => store.close()));
      await empty.drop();
    });

    test('a migration whose server is killed half-way can be run again', async () => {
      const empty = await kind.createDatabase(server.url, async () => {});
      const store = open({ ...patience, url: throughProxy(empty.url, proxy) });
      for (let afterMs = 5; afterMs < 100; afterMs += 15) {
        const migrating = store.migrate().catch((fault: unknown) => fault);
        await sleep(afterMs);
        proxy.cut();
        await migrating;
      }
      await store.migrate();
      expect(await store.coordination()).toEqual({ maxFactorial: null, curFactorial: null });
      await store.close();
      await empty.drop();
    });

    test.each([3_600_000, -3_600_000])(
      'a worker whose clock is off by %s ms neither steals nor loses a lease',
      async (offsetMs) => {
        const store = open({ ...patience, url: database.url });
        for (const n of [1n, 2n]) await request(store, n);
        await store.claim(1n, 'right-clock', { ...limits, leaseMs: 30_000 });
        expect((await claimUnderWrongClock(database.url, offsetMs, 1n, 30_000)).kind).toBe('leased');

        const claimed = await claimUnderWrongClock(database.url, offsetMs, 2n, 2_000);
        expect(claimed.kind).toBe('claimed');
        expect(Math.abs(new Date(claimed.clock).getTime() - Date.now() - offsetMs)).toBeLessThan(60_000);
        expect(Math.abs(new Date(claimed.leaseUntil).getTime() - Date.now())).toBeLessThan(10_000);
        expect((await store.claim(2n, 'right-clock', limits)).kind).toBe('leased');
        await expect
          .poll(async () => (await store.claim(2n, 'right-clock', limits)).kind, { timeout: 8_000, interval: 100 })
          .toBe('claimed');
      },
    );

    test('a server with strange defaults for its sessions changes nothing', async () => {
      await database.execute(kind.strangeDefaults(new URL(database.url).pathname.slice(1)).join('; '));
      try {
        const [store, rival] = [open(patience), open(patience)];
        const client = `O'Hara "\\' or 1 = 1; --`;
        const { row } = await store.request({ n: 7n, digits: 10n, trailingZeros: 2n, client });
        expect(Math.abs(row.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
        expect(await store.countUnfinished(client)).toBe(1);
        const outcomes = await Promise.all(
          Array.from({ length: 50 }, (_, index) => (index % 2 ? store : rival).claim(7n, `w${index}`, limits)),
        );
        expect(outcomes.map((outcome) => outcome.kind).filter((kind) => kind === 'claimed')).toHaveLength(1);
        const found = await store.find(7n);
        expect(found?.leaseUntil?.getTime()).toBe((found?.updatedAt.getTime() ?? 0) + limits.leaseMs);
        await request(store, 8n);
        const { rows, next } = await store.list(1);
        expect(rows.map((listed) => listed.n)).toEqual([8n]);
        expect((await store.list(1, next)).rows.map((listed) => listed.n)).toEqual([7n]);
      } finally {
        if (kind.usualDefaults.length > 0) await database.execute(kind.usualDefaults.join('; '));
      }
    });

    /** The call fails with a `TransientError` before the bound. */
    async function expectBounded(call: () => Promise<unknown>): Promise<unknown> {
      const started = performance.now();
      const outcome = await call().catch((fault: unknown) => fault);
      expect(outcome).toBeInstanceOf(TransientError);
      expect(performance.now() - started).toBeLessThan(callBoundMs);
      return outcome;
    }
  });
}

const worker = join(import.meta.dirname, '../fixtures/claim-under-wrong-clock.ts');

async function claimUnderWrongClock(url: string, offsetMs: number, n: bigint, leaseMs: number) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [worker, url, String(offsetMs), String(n), String(leaseMs)],
    {
      timeout: 20_000,
    },
  );
  return JSON.parse(stdout) as { readonly kind: string; readonly leaseUntil: string; readonly clock: string };
}
