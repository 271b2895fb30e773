import { mkdir, open, rename, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isFault } from './file-faults.ts';

/** A folder may be removed by `removeEmptyFolders` between its making and the rename into it; then it is made again. */
const maxRenameTries = 5;

/**
 * Move a finished, synced file to its place: atomic, and durable when this resolves. Restrictions: `from` and `to` lie in one file
 * system, `to` below `root`.
 */
export async function publishFile(from: string, to: string, root: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    await mkdir(dirname(to), { recursive: true });
    try {
      await rename(from, to);
      break;
    } catch (fault) {
      if (!isFault(fault, 'ENOENT') || tries === maxRenameTries) throw fault;
    }
  }
  for (let folder = dirname(to); ; folder = dirname(folder)) {
    await syncFolder(folder);
    if (folder === root) return;
  }
}

/** Make renames and removals in this folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Remove the folders above a removed file, up to `root` exclusive, as far as they are empty. */
export async function removeEmptyFolders(file: string, root: string): Promise<void> {
  for (let folder = dirname(file); folder !== root; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (fault) {
      if (isFault(fault, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
      throw fault;
    }
  }
}
