import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '@factorial/compute';
import { expect, test } from 'vitest';
import { makeFolder } from './make-folder.ts';

test('a folder is made with those above it, and made again without harm', () => {
  const root = mkdtempSync(join(tmpdir(), 'factorial-folder-'));
  try {
    const folder = join(root, 'a/b/c');
    makeFolder(folder);
    makeFolder(folder);
    expect(statSync(folder).isDirectory()).toBe(true);
    writeFileSync(join(root, 'file'), '');
    expect(() => makeFolder(join(root, 'file/a'))).toThrow(InputError);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('where the kernel takes no folders it is refused at once', () => {
  for (const path of ['/proc/x', '/proc/x/y/z', '/proc/self/x']) {
    expect(() => makeFolder(path)).toThrow(new RegExp(`expected a folder that can be made and written, got ${path} `));
  }
});
