import type { Dirent, Stats } from 'node:fs';
import { type FileHandle, open, opendir, stat } from 'node:fs/promises';
import { ObjectNotFoundError } from '../contracts/errors.ts';
import { isFault, translateFileFault } from './file-faults.ts';

/** Size and times of a file; undefined when there is none, or a folder. */
export async function statFile(path: string): Promise<Stats | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found : undefined;
  } catch (fault) {
    if (isFault(fault, 'ENOENT', 'ENOTDIR')) return undefined;
    throw fault;
  }
}

/** Entries of a folder; none when it was removed meanwhile. */
export async function openFolder(folder: string): Promise<AsyncIterable<Dirent>> {
  try {
    return await opendir(folder);
  } catch (fault) {
    if (isFault(fault, 'ENOENT')) return (async function* () {})();
    throw translateFileFault(fault);
  }
}

/** The file of an object, open for reading; `ObjectNotFoundError` when there is none. */
export async function openFile(key: string, path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (fault) {
    if (isFault(fault, 'ENOENT', 'ENOTDIR'))
      throw new ObjectNotFoundError(`expected an object ${key}, got none`, { cause: fault });
    throw fault;
  }
}
