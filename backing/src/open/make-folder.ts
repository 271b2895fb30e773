import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '@factorial/compute';

/**
 * Make a folder and those above it, one by one: asked for all of them at once below `/proc`, Node tries for ever. `InputError` when it
 * cannot be made, naming the folder.
 */
export function makeFolder(path: string): void {
  try {
    makeMissing(path);
  } catch (fault) {
    throw new InputError('a folder that can be made and written', `${path} (${(fault as Error).message})`, {
      cause: fault,
    });
  }
}

function makeMissing(path: string): void {
  if (isThere(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeMissing(parent);
  // Still missing now that its parent is there: a file system that takes no folders.
  if (!isThere(path)) mkdirSync(path);
}

/** Whether the folder is there, made by this call or before. */
function isThere(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (fault) {
    const { code } = fault as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    // What is there and no folder is found out by whoever opens something in it.
    if (code === 'EEXIST') return true;
    throw fault;
  }
}
