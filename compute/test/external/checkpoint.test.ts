import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCheckpoint } from '../../src/checkpoint/checkpoint-file.ts';
import { CheckpointStore } from '../../src/checkpoint/checkpoint-store.ts';
import { type JournalEntry, journalFileName, readJournal } from '../../src/checkpoint/step-journal.ts';
import { computeFactorial, defaultBudget, InputError, type Progress } from '../../src/index.ts';
import { seededRandom } from '../decimal/random.ts';

const n = 4_000_000;
const sha256 = '94cb5895bd7c1d593d7a98fdb0f509a900b45c62a88e750452cedc12b9b00ca2';
const mebibyte = 2 ** 20;
const child = fileURLToPath(new URL('../fixtures/checkpoint-run.mjs', import.meta.url));

let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'checkpoint-'));
});
afterAll(() => rm(parent, { recursive: true }));

function budgetIn(scratchDir: string) {
  return defaultBudget({
    memoryBytes: 80 * mebibyte,
    scratchDir,
    scratchBytes: 2 ** 30,
    threads: 2,
    engine: 'decimal',
  });
}

/** Runs to the end, from whatever is in the folder; how much of the product phase was left to do. */
async function finish(
  folder: string,
  watch: () => unknown = () => undefined,
): Promise<{ readonly sha256: string; readonly productUnits: number }> {
  let first: number | undefined;
  let last = 0;
  const onProgress = ({ phase, done, total }: Progress) => {
    watch();
    if (phase === 'emit') return;
    first ??= done / total;
    last = done / total;
  };
  await using result = await computeFactorial(n, { budget: budgetIn(folder), checkpointDir: folder, onProgress });
  for await (const chunk of result.digits()) if (chunk.length === 0) throw new Error('an empty chunk');
  return { sha256: await result.sha256, productUnits: last - (first ?? 0) };
}

function start(folder: string): ChildProcess {
  return spawn(process.execPath, [child, String(n), folder], { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function flipByte(path: string): Promise<void> {
  const file = await open(path, 'r+');
  // In the first half, which is the number itself and not its padding.
  const at = Math.floor((await file.stat()).size / 3);
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  await file.write(Buffer.of(byte[0]! ^ 1), 0, 1, at);
  await file.close();
}

/** Until the folder's record says that the chain has begun. */
async function untilPlanes(folder: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 20) {
    const names = await readdir(folder).catch((): string[] => []);
    if (names.includes('checkpoint.json')) return;
    await sleep(20);
  }
  throw new Error('no checkpoint within a minute');
}

test('a run killed at random moments, again and again, goes on and ends with the right digits', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const folder = join(parent, 'killed');
  for (let kill = 0; kill < 3; kill++) {
    const run = start(folder);
    const exited = once(run, 'exit');
    if (kill === 0) await untilPlanes(folder);
    await Promise.race([exited, sleep(200 + 1200 * random())]);
    run.kill('SIGKILL');
    await exited;
  }
  const { sha256: found } = await finish(folder);
  expect(found, `seed ${seed}`).toBe(sha256);
  expect(await readdir(folder)).toEqual([]);
});

/** Kills a run as soon as the journal of a late step satisfies the condition; its entries. */
async function killAt(folder: string, isTime: (entries: readonly JournalEntry[]) => boolean): Promise<JournalEntry[]> {
  const run = start(folder);
  const exited = once(run, 'exit');
  for (;;) {
    const record = await readCheckpoint(folder, BigInt(n)).catch(() => undefined);
    const entries = record === undefined ? [] : await readJournal(folder, String(record.planesLeft)).catch(() => []);
    if (record !== undefined && record.planesLeft <= 4 && isTime(entries)) break;
    if (run.exitCode !== null) throw new Error('the run ended before it was to be killed');
    await sleep(2);
  }
  run.kill('SIGKILL');
  await exited;
  const record = await readCheckpoint(folder, BigInt(n));
  return readJournal(folder, String(record?.planesLeft));
}

const partsOf = (entries: readonly JournalEntry[]) => entries.filter(({ kind }) => kind === 'part');

test('a run killed inside a step goes on after the last finished part, and makes none of those again', async () => {
  const folder = join(parent, 'inside');
  const found = await killAt(folder, (entries) => partsOf(entries).length >= 3);
  expect(partsOf(found).length).toBeGreaterThan(0);
  const files = found.flatMap((entry) => (entry.kind === 'part' ? [entry.number.file] : []));
  const product = found.at(-1)!.product;
  let again: readonly JournalEntry[] = [];
  const onProgress = async () => {
    const record = await readCheckpoint(folder, BigInt(n)).catch(() => undefined);
    const entries = await readJournal(folder, String(record?.planesLeft)).catch(() => []);
    if (entries.length > again.length && entries[0]?.product === found[0]?.product) again = entries;
  };
  const { sha256: digest } = await finish(folder, onProgress);
  expect(digest).toBe(sha256);
  // What was recorded once is not recorded again: each part of the product under way has one file, made by one of the two processes.
  const names = partsOf(again)
    .filter((entry) => entry.product === product)
    .map((entry) => (entry.kind === 'part' ? `${entry.prime}-${entry.part}` : ''));
  expect(new Set(names).size).toBe(names.length);
  expect(files.length).toBeGreaterThan(0);
  expect(await readdir(folder)).toEqual([]);
});

test.each<[string, (path: string) => Promise<void>]>([
  ['damaged', flipByte],
  ['shortened', (path) => truncate(path, 10)],
  ['lost', (path) => rm(path)],
])(
  'a part of a step that is %s is noticed and made anew, whether its operands are still there or not',
  async (name, damage) => {
    for (const count of [2, 5]) {
      const folder = join(parent, `part-${name}-${count}`);
      const entries = await killAt(folder, (found) => partsOf(found).length >= count);
      const files = entries.flatMap((entry) => ('number' in entry ? [entry.number.file] : []));
      const there = new Set(await readdir(folder));
      for (const file of files.filter((one) => there.has(one))) await damage(join(folder, file));
      expect((await finish(folder)).sha256, `${name} at ${count}`).toBe(sha256);
      expect(await readdir(folder)).toEqual([]);
    }
  },
);

test('a journal with lines that are damaged or cut off is used as far as it goes', async () => {
  const folder = join(parent, 'journal');
  await killAt(folder, (entries) => partsOf(entries).length >= 3);
  const path = join(folder, journalFileName);
  const lines = (await readFile(path, 'utf8')).split('\n');
  lines[0] = lines[0]!.replace('"', '');
  await writeFile(path, `${lines.join('\n')}{"step":"2","product":"squ`);
  expect((await finish(folder)).sha256).toBe(sha256);
});

test('an aborted run leaves what is finished, and the next one does less', async () => {
  const folder = join(parent, 'aborted');
  const controller = new AbortController();
  const reason = new Error('enough');
  const onProgress = ({ phase, done, total }: Progress) => {
    if (phase === 'product' && done / total > 0.6) controller.abort(reason);
  };
  const options = { budget: budgetIn(folder), checkpointDir: folder, onProgress, signal: controller.signal };
  await mkdir(folder);
  await expect(computeFactorial(n, options)).rejects.toBe(reason);
  expect(await readdir(folder)).toContain('checkpoint.json');
  expect(await readdir(folder)).not.toContain('owner');
  const { sha256: found, productUnits } = await finish(folder);
  expect(found).toBe(sha256);
  expect(productUnits).toBeLessThan(0.8);
});

test('damaged, shortened and lost files are noticed and made anew; so is a damaged record', async () => {
  const seed = Date.now() % 2 ** 31;
  const random = seededRandom(seed);
  const damages: readonly ((path: string) => Promise<void>)[] = [
    flipByte,
    (path) => truncate(path, 10),
    (path) => rm(path),
  ];
  for (const [index, damage] of damages.entries()) {
    const folder = join(parent, `damaged-${index}`);
    const run = start(folder);
    const exited = once(run, 'exit');
    await untilPlanes(folder);
    await sleep(300);
    run.kill('SIGKILL');
    await exited;
    const record = JSON.parse(await readFile(join(folder, 'checkpoint.json'), 'utf8'));
    const files = [...record.planes, record.result].filter((number) => number !== null).map(({ file }) => file);
    await damage(join(folder, files[Math.floor(random() * files.length)]));
    expect((await finish(folder)).sha256, `seed ${seed}, damage ${index}`).toBe(sha256);
    expect(await readdir(folder)).toEqual([]);
  }
  const folder = join(parent, 'record');
  await mkdir(folder);
  await writeFile(join(folder, 'checkpoint.json'), '{"format":"factorial-checkpoint-2","n":');
  expect((await finish(folder)).sha256).toBe(sha256);
});

test('a folder in use is refused, and one with other files keeps them', async () => {
  const folder = join(parent, 'shared');
  await mkdir(folder);
  await writeFile(join(folder, 'notes.txt'), 'mine');
  const store = await CheckpointStore.open(folder, 1000);
  await expect(CheckpointStore.open(folder, 1000)).rejects.toBeInstanceOf(InputError);
  await store.create('a', 100);
  store.finish();
  await store[Symbol.asyncDispose]();
  expect(await readdir(folder)).toEqual(['notes.txt']);
});
