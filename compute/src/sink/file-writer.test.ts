import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FileWriter } from './file-writer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-writer-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('chunks arrive in order and whole, with a sync under way after every one', async () => {
  const path = join(folder, 'digits');
  const file = await open(path, 'wx');
  const writer = new FileWriter(file, { syncEveryBytes: 1 });
  const chunks = Array.from({ length: 50 }, (_, index) => Buffer.alloc(100_000 + index, 48 + (index % 10)));
  for (const chunk of chunks) await writer.write(chunk);
  await writer.finish();
  await file.close();
  expect((await readFile(path)).equals(Buffer.concat(chunks))).toBe(true);
});

test('the last of the bytes goes to the disk by itself, after a sync that was under way as well', async () => {
  for (const syncEveryBytes of [1, 150, 1000]) {
    const file = await open(join(folder, `digits-${syncEveryBytes}`), 'wx');
    const datasync = vi.spyOn(file, 'datasync');
    const writer = new FileWriter(file, { totalBytes: 300n, syncEveryBytes });
    for (let chunk = 0; chunk < 3; chunk++) await writer.write(Buffer.alloc(100, 48));
    await writer.settle();
    const { size } = await file.stat();
    expect(size).toBe(300);
    // A single one when nothing was due before; at most one after each chunk.
    expect(datasync.mock.calls.length).toBeGreaterThanOrEqual(1);
    expect(datasync.mock.calls.length).toBeLessThanOrEqual(syncEveryBytes === 1000 ? 1 : 3);
    await writer.finish();
    await file.close();
  }
});

test('nothing goes to the disk by itself before its time when the end is not known', async () => {
  const file = await open(join(folder, 'digits'), 'wx');
  const datasync = vi.spyOn(file, 'datasync');
  const writer = new FileWriter(file);
  await writer.write(Buffer.alloc(1000, 48));
  await writer.settle();
  expect(datasync).not.toHaveBeenCalled();
  await writer.finish();
  await file.close();
});

test('a sync that fails shows when the file is finished, and nothing is under way after settling', async () => {
  const file = await open(join(folder, 'digits'), 'wx');
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  vi.spyOn(file, 'datasync').mockRejectedValue(full);
  const writer = new FileWriter(file, { totalBytes: 20n, syncEveryBytes: 1 });
  for (let chunk = 0; chunk < 2; chunk++) await writer.write(Buffer.alloc(10, 48));
  await writer.settle();
  await expect(writer.finish()).rejects.toBe(full);
  await file.close();
});

test('a write that fails shows at the next call, and nothing is under way after settling', async () => {
  // A file opened for reading takes no bytes.
  await (await open(join(folder, 'digits'), 'wx')).close();
  const file = await open(join(folder, 'digits'), 'r');
  const writer = new FileWriter(file);
  await writer.write(Buffer.from('1'));
  await expect(writer.write(Buffer.from('2'))).rejects.toMatchObject({ code: 'EBADF' });
  await expect(writer.finish()).rejects.toMatchObject({ code: 'EBADF' });
  await writer.settle();
  await file.close();
});
