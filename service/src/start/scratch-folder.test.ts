import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '@factorial/backing';
import { scratchFolderPrefix } from '@factorial/compute';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareScratchFolder, scratchFolder } from './scratch-folder.ts';

let DATA_DIR: string;
beforeEach(async () => {
  DATA_DIR = await mkdtemp(join(tmpdir(), 'factorial-scratch-folder-'));
});
afterEach(async () => {
  await rm(DATA_DIR, { recursive: true });
});

const left = `${scratchFolderPrefix}left`;

async function leaveScratch(folder: string): Promise<void> {
  await mkdir(join(folder, left), { recursive: true });
  await writeFile(join(folder, left, 'limbs'), 'x');
  await writeFile(join(folder, 'of-somebody-else'), 'y');
}

describe('the scratch folder', () => {
  it('is made, and rid of what a killed run left, but of nothing else', async () => {
    const settings = readSettings({ DATA_DIR, COMPUTE_SCRATCH_BYTES: '1GiB' });
    await prepareScratchFolder(settings);
    expect((await stat(scratchFolder(settings))).isDirectory()).toBe(true);
    await leaveScratch(scratchFolder(settings));
    await prepareScratchFolder(settings);
    expect(await readdir(scratchFolder(settings))).toEqual(['of-somebody-else']);
  });

  it('is left as it is where other processes may be working in it', async () => {
    const shared = join(DATA_DIR, 'shared');
    await leaveScratch(shared);
    await prepareScratchFolder(readSettings({ DATA_DIR, SCRATCH_DIR: shared, COMPUTE_SCRATCH_BYTES: '1GiB' }));
    expect(await readdir(shared)).toContain(left);
  });

  it('is not made when no scratch may be used', async () => {
    await prepareScratchFolder(readSettings({ DATA_DIR }));
    expect(await readdir(DATA_DIR)).toEqual([]);
  });
});
