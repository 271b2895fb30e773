import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileWriter } from './file-writer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-writer-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('chunks arrive in order and whole, with a sync under way after every one', async () => {
  const path = join(folder, 'digits');
  const file = await open(path, 'wx');
  const writer = new FileWriter(file, 1);
  const chunks = Array.from({ length: 50 }, (_, index) => Buffer.alloc(100_000 + index, 48 + (index % 10)));
  for (const chunk of chunks) await writer.write(chunk);
  await writer.finish();
  await file.close();
  expect((await readFile(path)).equals(Buffer.concat(chunks))).toBe(true);
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
