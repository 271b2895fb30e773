import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { InputError } from '@factorial/compute';
import { DirectoryInUseError } from '../../contracts/errors.ts';

export interface DirectoryLock extends Disposable {
  release(): void;
}

const lockFileName = 'directory.lock';

/**
 * Hold a directory alone until released. The lock is the operating system's own lock on a file, taken by SQLite as an open
 * exclusive transaction: it ends with the process, however that ends, so a crash leaves nothing stale behind.
 * `DirectoryInUseError` at once when somebody else, in this process or another, holds it.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const database = openLockFile(directory);
  try {
    // Without a journal on disk the transaction leaves no second file behind.
    database.exec('pragma journal_mode = memory; begin exclusive');
  } catch (fault) {
    database.close();
    throw new DirectoryInUseError(
      `expected to hold ${directory} alone, got a lock held by another process: stop that process or choose another directory`,
      { cause: fault },
    );
  }
  const release = (): void => {
    if (database.isOpen) database.close();
  };
  return { release, [Symbol.dispose]: release };
}

/** Whether anybody ever held this directory, now or before: the file of the lock stays. */
export function wasDirectoryLocked(directory: string): boolean {
  return existsSync(join(directory, lockFileName));
}

function openLockFile(directory: string): DatabaseSync {
  try {
    return new DatabaseSync(join(directory, lockFileName), { timeout: 0 });
  } catch (fault) {
    throw new InputError('a directory that can be written', `${directory} (${(fault as Error).message})`, {
      cause: fault,
    });
  }
}
