import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointFolders, runCalculation, TransientError } from '@factorial/backing';
import { defaultBudget, type FactorialPlan, planFactorial, SharedBudget } from '@factorial/compute';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestServices, type TestServices, testOptions, until, withFault } from './services.ts';

const mebibyte = 2 ** 20;
const n = 4_000_000n;
const sha256 = '94cb5895bd7c1d593d7a98fdb0f509a900b45c62a88e750452cedc12b9b00ca2';
const scratchBytes = 2 ** 30;

let services: TestServices;
let scratchDir: string;
let folders: CheckpointFolders;
let sharedBudget: SharedBudget;
let lines: string[];
let stop: AbortController;
beforeEach(async () => {
  services = await openTestServices();
  scratchDir = join(services.directory, 'scratch');
  await mkdir(scratchDir);
  sharedBudget = new SharedBudget({ memoryBytes: 2 ** 30, scratchBytes });
  folders = new CheckpointFolders({ directory: scratchDir, fromSeconds: 0, scratchBytes, sharedBudget });
  lines = [];
  stop = new AbortController();
});
afterEach(async () => {
  await services[Symbol.asyncDispose]();
});

const budgetOf = () =>
  defaultBudget({ memoryBytes: 80 * mebibyte, scratchBytes, scratchDir, threads: 2, engine: 'decimal' });
const log = { info: (_: object, message: string) => void lines.push(message), warn: () => undefined };
const folderOf = (number: bigint, attempt = 1) => join(scratchDir, `factorial-checkpoint-${number}-${attempt}`);

async function claimed(number: bigint) {
  await services.ask(number);
  const outcome = await services.metadata.claim(number, 'worker-under-test', { leaseMs: 2_000, maxInterruptions: 5 });
  if (outcome.kind !== 'claimed') throw new Error(`expected a claim, got ${outcome.kind}`);
  return outcome.claim;
}

const run = (claim: Awaited<ReturnType<typeof claimed>>, stores: Partial<TestServices> = {}, heartbeatMs = 20) =>
  runCalculation(
    claim,
    { ...services, ...stores },
    { ...testOptions({ heartbeatMs }), budget: budgetOf(), support: { checkpoints: folders, log } },
    stop.signal,
  );

/** Until the chain has begun, of which something can be kept. */
const untilRecorded = () =>
  until(async () => (await readdir(folderOf(n)).catch((): string[] => [])).includes('checkpoint.json'), 60_000);

/** Somebody's folder, so many bytes and minutes old. */
async function leave(number: bigint, bytes: number, minutes: number, attempt = 1): Promise<void> {
  const path = folderOf(number, attempt);
  await mkdir(path);
  const file = join(path, 'blob-1');
  await writeFile(file, new Uint8Array(bytes));
  const then = new Date(Date.now() - minutes * 60_000);
  await utimes(file, then, then);
}

describe('a calculation with a checkpoint', () => {
  it('that is told to stop keeps what is finished; the next claim goes on from there and leaves nothing', async () => {
    const running = run(await claimed(n));
    await untilRecorded();
    stop.abort(new Error('the worker is stopping'));
    expect(await running).toEqual({ kind: 'released' });
    expect(await readdir(folderOf(n))).toContain('checkpoint.json');
    expect(await folders.sweep(services.metadata)).toBe(0);
    stop = new AbortController();
    expect(await run(await claimed(n))).toMatchObject({ kind: 'done', row: { checksum: sha256 } });
    expect(lines).toEqual(['going on from a checkpoint']);
    expect(await readdir(scratchDir)).toEqual([]);
  });

  // Once more where the machine stood still for as long.
  it('that is cancelled in the same process stops within half a second and leaves no scratch', {
    retry: 1,
  }, async () => {
    // Heartbeats are far apart: nobody waits for one.
    const running = run(await claimed(n), {}, 60_000);
    await untilRecorded();
    await services.metadata.cancel(n);
    const cancelledMs = performance.now();
    expect(await running).toEqual({ kind: 'stale' });
    expect(performance.now() - cancelledMs).toBeLessThan(500);
    expect(await readdir(scratchDir)).toEqual([]);
  });

  it('whose store fails does not compute again what is finished, not even from the very end', async () => {
    const claim = await claimed(n);
    const objects = withFault(services.objects, {
      stat: async () => {
        throw new TransientError('the store went away after the last digit');
      },
    });
    expect(await run(claim, { objects })).toMatchObject({ kind: 'retry', reason: { code: 'transient' } });
    expect(await readdir(folderOf(n))).toContain('checkpoint.json');
    const again = await claimed(n);
    const startedMs = performance.now();
    const running = run(again);
    await until(async () => ((await services.metadata.find(n))?.progress?.done ?? 0) > 0, 60_000);
    const { done = 0, total = 1 } = (await services.metadata.find(n))?.progress ?? {};
    // All but the emission, which is a fifth of the work.
    expect(done / total).toBeGreaterThan(0.7);
    expect(await running).toMatchObject({ kind: 'done', row: { checksum: sha256 } });
    expect(performance.now() - startedMs).toBeLessThan(60_000);
    expect(await readdir(scratchDir)).toEqual([]);
  });
});

describe('the checkpoints of a machine', () => {
  const planOf = (bytes: number): FactorialPlan => ({
    ...planFactorial(n, budgetOf()),
    storage: 'scratch',
    scratchBytes: bytes,
    estimatedSeconds: 100,
  });

  it('are only for long runs with scratch files', async () => {
    const strict = new CheckpointFolders({ directory: scratchDir, fromSeconds: 60, scratchBytes, sharedBudget });
    const path = folderOf(n);
    expect(await strict.prepare({ n, attempt: 1 }, planOf(0), 0)).toEqual({ path, resumes: false });
    expect(await strict.prepare({ n, attempt: 1 }, { ...planOf(0), estimatedSeconds: 60 }, 0)).toBeUndefined();
    expect(await strict.prepare({ n, attempt: 1 }, { ...planOf(0), storage: 'memory' }, 0)).toBeUndefined();
  });

  it('are not taken from a living process, and are from a dead one, though another has got its number', async () => {
    const path = folderOf(n);
    await leave(n, 1, 0);
    await writeFile(join(path, 'owner'), `${process.pid}`);
    expect(await folders.prepare({ n, attempt: 1 }, planOf(0), 0)).toBeUndefined();
    await folders.remove({ n, attempt: 1 });
    expect(await readdir(path)).toEqual(['blob-1', 'owner']);
    await writeFile(join(path, 'owner'), `${process.pid} 1`);
    expect(await folders.prepare({ n, attempt: 1 }, planOf(0), 0)).toEqual({ path, resumes: false });
    await folders.remove({ n, attempt: 1 });
    expect(await readdir(scratchDir)).toEqual([]);
  });

  it('make room for running calculations, the oldest first', async () => {
    const small = new CheckpointFolders({
      directory: scratchDir,
      fromSeconds: 60,
      scratchBytes: 1000,
      sharedBudget: new SharedBudget({ memoryBytes: 0, scratchBytes: 1000 }),
    });
    for (const [number, minutes] of [
      [5n, 1],
      [6n, 3],
      [7n, 2],
    ] as const)
      await leave(number, 200, minutes);
    await small.prepare({ n: 5n, attempt: 1 }, planOf(700), 700);
    expect((await readdir(scratchDir)).sort()).toEqual([5, 7].map((left) => `factorial-checkpoint-${left}-1`));
    await small.prepare({ n: 8n, attempt: 1 }, planOf(700), 1000);
    expect(await readdir(scratchDir)).toEqual([]);
  });

  it('are swept when their row is done, failed, gone or in another attempt, and nothing else is', async () => {
    await services.ask(10n);
    await services.ask(11n);
    await services.metadata.cancel(11n);
    await services.ask(12n);
    await services.metadata.cancel(12n);
    await services.ask(12n);
    for (const number of [10n, 11n, 12n, 13n]) await leave(number, 1, 0);
    await writeFile(join(scratchDir, 'of-somebody-else'), 'x');
    expect(await folders.sweep(services.metadata)).toBe(3);
    expect((await readdir(scratchDir)).sort()).toEqual(['factorial-checkpoint-10-1', 'of-somebody-else']);
  });
});
