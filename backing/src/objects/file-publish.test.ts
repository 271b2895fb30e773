import { mkdir, mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { publishFile, removeEmptyFolders } from './file-publish.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'factorial-publish-'));
  await mkdir(join(root, 'uploads'));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

test('publishing succeeds although others keep removing the folder it goes to', async () => {
  const destination = join(root, 'objects');
  await mkdir(destination);
  let over = false;
  // Removes the folders whenever they are empty, as fast as it can.
  const remover = (async () => {
    while (!over) {
      removeEmptyFolders(join(destination, 'factorials/5/none'), destination);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let index = 0; index < 120; index++) {
    const upload = join(root, 'uploads', String(index));
    const path = join(destination, 'factorials/5', `${index}.txt`);
    await writeFile(upload, String(index));
    await publishFile(upload, path, destination);
    expect(await readFile(path, 'utf8')).toBe(String(index));
    await unlink(path);
  }
  over = true;
  await remover;
  expect(await readdir(join(root, 'uploads'))).toEqual([]);
});
