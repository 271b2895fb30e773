import { mkdtemp, readdir, rm, symlink, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { computeFactorial, defaultBudget, planFactorial } from '../../src/index.ts';
import { ScratchStore } from '../../src/limbs/scratch-store.ts';
import type { StoredBlob } from '../../src/limbs/stored-blob.ts';
import { startTaskPool } from '../../src/pool/start-task-pool.ts';
import { seededRandom } from '../decimal/random.ts';
import { smallRun } from './small-run.ts';

/** Takes a second or two out of core. */
const long = 4_000_000;
const mebibyte = 2 ** 20;
/** Within this time of an abort everything must have stopped and the scratch be gone. */
const abortLimitMs = 500;

let scratchDir: string;
beforeAll(async () => {
  scratchDir = await mkdtemp(join(tmpdir(), 'external-lifetime-'));
});
afterEach(async () => {
  expect(await readdir(scratchDir)).toEqual([]);
});
afterAll(() => rm(scratchDir, { recursive: true }));

function outOfCore() {
  return defaultBudget({
    memoryBytes: 80 * mebibyte,
    scratchDir,
    scratchBytes: 2 ** 30,
    threads: 2,
    engine: 'decimal',
  });
}

test('the plan says where the number will live', () => {
  expect(planFactorial(long, outOfCore())).toMatchObject({ storage: 'scratch' });
  expect(planFactorial(long, defaultBudget({ memoryBytes: 2 ** 30 }))).toMatchObject({
    storage: 'memory',
    scratchBytes: 0,
    ioBytes: 0,
  });
});

test('a run that is aborted at any moment ends with the reason, and its scratch is gone', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const stopMs: number[] = [];
  for (let round = 0; round < 7; round++) {
    const controller = new AbortController();
    const reason = new Error('enough');
    let abortedMs = 0;
    const timer = sleep(1500 * random()).then(() => {
      abortedMs = performance.now();
      controller.abort(reason);
    });
    const run = async (): Promise<void> => {
      const result = await computeFactorial(long, { budget: outOfCore(), signal: controller.signal });
      for await (const chunk of result.digits()) if (chunk.length === 0) throw new Error('an empty chunk');
      await timer;
      throw reason;
    };
    await expect(run(), `seed ${seed}`).rejects.toBe(reason);
    stopMs.push(performance.now() - abortedMs);
    expect(await readdir(scratchDir), `seed ${seed}, round ${round}`).toEqual([]);
  }
  // The median: on a busy machine a single run may have to wait for a core.
  expect(stopMs.toSorted((a, b) => a - b)[3]).toBeLessThan(abortLimitMs);
});

test('breaking off the digits, or never taking them, removes the scratch', async () => {
  const result = await computeFactorial(long, { budget: outOfCore() });
  expect(await readdir(scratchDir)).toHaveLength(1);
  for await (const chunk of result.digits()) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  expect(await readdir(scratchDir)).toEqual([]);
  const unread = await computeFactorial(long, { budget: outOfCore() });
  await unread[Symbol.asyncDispose]();
});

/** A store whose blobs are on a full disk from one of them on. */
class FillingStore {
  readonly #store: ScratchStore;
  #left: number;

  constructor(store: ScratchStore, left: number) {
    this.#store = store;
    this.#left = left;
  }

  async create(label: string, bytes: number): Promise<StoredBlob> {
    const blob = await this.#store.create(label, bytes);
    if (--this.#left < 0 && blob.location.kind === 'scratch') {
      await unlink(blob.location.path);
      await symlink('/dev/full', blob.location.path);
    }
    return blob;
  }

  get usedBytes(): number {
    return this.#store.usedBytes;
  }

  get peakBytes(): number {
    return this.#store.peakBytes;
  }

  shrink(blob: StoredBlob, bytes: number): Promise<StoredBlob> {
    return this.#store.shrink(blob, bytes);
  }

  remove(blob: StoredBlob): Promise<void> {
    return this.#store.remove(blob);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#store[Symbol.asyncDispose]();
  }
}

test('a disk that fills up at any moment ends the run with a clear error, and the scratch is gone', async () => {
  await using pool = await startTaskPool({ threads: 2, signal: new AbortController().signal });
  for (const left of [0, 1, 5, 12, 20, 40]) {
    await using store = new FillingStore(await ScratchStore.open(scratchDir, 2 ** 30), left);
    const run = smallRun({ n: 100_000, memoryBytes: 1_000_000, threads: 2, pool, store });
    await expect(run, `after ${left} files`).rejects.toMatchObject({ code: 'scratch-full' });
  }
});

test('a budget that is too small is refused, and what would do is named', () => {
  const tight = defaultBudget({ memoryBytes: 64 * mebibyte, scratchDir, scratchBytes: mebibyte, engine: 'decimal' });
  expect(() => planFactorial(1_000_000_000, tight)).toThrow(/MiB of scratch/);
  const memoryOnly = defaultBudget({ memoryBytes: 300 * mebibyte, engine: 'decimal' });
  expect(() => planFactorial(100_000_000, memoryOnly)).toThrow(/MiB for scratch files beside the memory it has/);
  expect(() => planFactorial(10n ** 10n, tight)).toThrow(
    /^10000000000! needs 64 MiB of memory and \d{6} MiB of scratch/,
  );
  expect(() => planFactorial(2n ** 53n, tight)).toThrow(/cannot be computed/);
});
