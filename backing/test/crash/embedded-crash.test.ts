import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryInUseError } from '../../src/contracts/errors.ts';
import type { FactorialRow, ListCursor, MetadataStore } from '../../src/metadata/metadata-store.ts';
import { createSqliteMetadataStore } from '../../src/metadata/sqlite/sqlite-metadata-store.ts';
import { createFilesystemObjectStore } from '../../src/objects/filesystem-object-store.ts';

const hammer = join(import.meta.dirname, 'hammer.mjs');

/** What a killed process was told before it died. */
interface Told {
  readonly requested: Set<bigint>;
  readonly done: Map<bigint, string>;
  readonly fences: Map<bigint, bigint>;
}

let directory: string;
let told: Told;

beforeEach(async () => {
  told = { requested: new Set(), done: new Map(), fences: new Map() };
  directory = await mkdtemp(join(tmpdir(), 'factorial-crash-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('the embedded stores, killed by SIGKILL at random moments', () => {
  test('keep everything they confirmed, publish nothing torn, and leave no lock behind', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    for (let round = 0; round < 12; round++) {
      await hammerAndKill(seed + round, 20 + ((seed >> round) % 150));
      await checkInvariants(`seed ${seed}, round ${round}`);
    }
    expect(told.done.size, `seed ${seed}`).toBeGreaterThan(0);
  });
});

describe('one directory', () => {
  test('held by another process is refused at once, and free again when that process is killed', async () => {
    const child = startHammer(1);
    await untilReady(child);
    const before = performance.now();
    expect(() => createSqliteMetadataStore({ directory })).toThrow(DirectoryInUseError);
    expect(() => createSqliteMetadataStore({ directory })).toThrow(`expected to hold ${directory} alone`);
    expect(performance.now() - before).toBeLessThan(1_000);
    child.kill('SIGKILL');
    await once(child, 'close');
    const store = createSqliteMetadataStore({ directory });
    await store.ping();
    await store.close();
  });

  test('held by another store of this process is refused too, until that one is closed', async () => {
    const store = createSqliteMetadataStore({ directory });
    expect(() => createSqliteMetadataStore({ directory })).toThrow(DirectoryInUseError);
    await store.close();
    const next = createSqliteMetadataStore({ directory });
    await next.migrate();
    await next.close();
  });

  test('of ten processes that open it at once exactly one gets it', async () => {
    const children = Array.from({ length: 10 }, (_, index) => startHammer(index));
    const outcomes = await Promise.all(children.map((child) => readyOrRefused(child)));
    expect(outcomes.filter((outcome) => outcome === 'ready')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.includes('DirectoryInUseError'))).toHaveLength(9);
    for (const child of children) child.kill('SIGKILL');
  });
});

function startHammer(seed: number): ChildProcess {
  return spawn(process.execPath, [hammer, directory, String(seed)], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function untilReady(child: ChildProcess): Promise<void> {
  if ((await readyOrRefused(child)) !== 'ready') throw new Error('expected the child to be ready, got a refusal');
}

/** `ready`, or what the child wrote to stderr before it ended. */
async function readyOrRefused(child: ChildProcess): Promise<string> {
  let complaint = '';
  child.stderr?.on('data', (chunk) => {
    complaint += chunk;
  });
  const ready = new Promise<string>((resolve) => {
    child.stdout?.once('data', () => resolve('ready'));
  });
  return await Promise.race([ready, once(child, 'close').then(() => complaint)]);
}

async function hammerAndKill(seed: number, lifeMs: number): Promise<void> {
  const child = startHammer(seed);
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await untilReady(child);
  await new Promise((resolve) => setTimeout(resolve, lifeMs));
  child.kill('SIGKILL');
  const [, signal] = await once(child, 'close');
  expect(signal).toBe('SIGKILL');
  // The last line may be torn by the kill.
  for (const line of output.split('\n').slice(0, -1)) remember(line.split(' '));
}

function remember([event, n, detail]: readonly string[]): void {
  if (event === 'requested') told.requested.add(BigInt(n ?? ''));
  if (event === 'done') told.done.set(BigInt(n ?? ''), detail ?? '');
  if (event === 'claimed') told.fences.set(BigInt(n ?? ''), BigInt(detail ?? ''));
}

async function checkInvariants(when: string): Promise<void> {
  const store = createSqliteMetadataStore({ directory });
  const objects = createFilesystemObjectStore({ directory });
  try {
    expect(await store.migrate(), when).toEqual([]);
    await store.releaseAllLeases();
    const rows = await allRows(store);
    for (const n of told.requested) expect(rows.has(n), `${when}: request of ${n}`).toBe(true);
    for (const [n, sha256] of told.done) expect(rows.get(n), when).toMatchObject({ status: 'done', checksum: sha256 });
    for (const [n, fence] of told.fences)
      expect((rows.get(n)?.fence ?? -1n) >= fence, `${when}: fence of ${n}`).toBe(true);
    const done = [...rows.values()].filter((row) => row.status === 'done');
    for (const row of done) {
      const stored = await objects.checksum(row.objectKey);
      expect(stored, `${when}: object of ${row.n}`).toEqual({ size: row.size, sha256: row.checksum });
    }
    for await (const object of objects.list()) {
      const n = BigInt(object.key.split('/')[1] ?? '');
      expect(object.size, `${when}: ${object.key} is whole`).toBe(rows.get(n)?.digits);
    }
    await checkSums(store, rows, done, when);
    await objects.sweepUnfinished(0);
    expect(await readdir(join(directory, 'uploads')), when).toEqual([]);
  } finally {
    await store.close();
  }
}

async function checkSums(
  store: MetadataStore,
  rows: ReadonlyMap<bigint, FactorialRow>,
  done: readonly FactorialRow[],
  when: string,
): Promise<void> {
  const maxFactorial =
    done
      .map((row) => row.n)
      .sort((a, b) => Number(a - b))
      .at(-1) ?? null;
  expect(await store.coordination(), when).toEqual({ maxFactorial, curFactorial: null });
  const usage = await store.usage();
  expect(usage.objectCount, when).toBe(BigInt(done.length));
  expect(usage.storedBytes, when).toBe(done.reduce((sum, row) => sum + (row.size ?? 0n), 0n));
  const unfinished = [...rows.values()].filter((row) => row.status === 'calculating' || row.status === 'uploading');
  const claimable = await store.claimable(10_000);
  expect(claimable.length, when).toBe(unfinished.length);
}

async function allRows(store: MetadataStore): Promise<ReadonlyMap<bigint, FactorialRow>> {
  const rows = new Map<bigint, FactorialRow>();
  let after: ListCursor | undefined;
  do {
    const page = await store.list(1_000, after);
    for (const row of page.rows) rows.set(row.n, row);
    after = page.next;
  } while (after);
  return rows;
}
