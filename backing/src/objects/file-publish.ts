import { mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isFault } from './file-faults.ts';

/**
 * Move a finished, synced file to its place: atomic, and durable when this resolves. Restrictions: `from` and `to` lie in one file
 * system, `to` below `root`, and only this process removes folders there.
 */
export async function publishFile(from: string, to: string, root: string): Promise<void> {
  // Synchronous on purpose, two quick calls: no removal of the empty folder gets between its making and the rename into it.
  mkdirSync(dirname(to), { recursive: true });
  renameSync(from, to);
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
export function removeEmptyFolders(file: string, root: string): void {
  for (let folder = dirname(file); folder !== root; folder = dirname(folder)) {
    try {
      rmdirSync(folder);
    } catch (fault) {
      if (isFault(fault, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
      throw fault;
    }
  }
}
