import { randomUUID } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../errors.ts';
import { FileWriter } from './file-writer.ts';
import { pullDigits } from './pull-digits.ts';
import type { DigitSink, DigitSource, SinkReceipt } from './sink.ts';
import { isFull, SinkError } from './sink-error.ts';

/** Ending of the temporary name that an unfinished file has, beside its destination. */
export const partialFileSuffix = '.partial';

/**
 * Writes the digits to a file that appears whole or not at all: a temporary name in the same folder, fsync, rename, fsync of the
 * folder. An existing file is replaced (through a symbolic link, its target); anything but a file is refused with `InputError` before
 * a byte is pulled. `SinkError` when the disk is full (`sink-full`) or fails.
 */
export class FileSink implements DigitSink {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async write(source: DigitSource): Promise<SinkReceipt> {
    const destination = await resolveDestination(this.#path);
    const folder = dirname(destination);
    const partial = join(folder, `.${basename(destination)}.${randomUUID()}${partialFileSuffix}`);
    try {
      await writeWhole(partial, source);
      await rename(partial, destination);
    } catch (error) {
      await rm(partial, { force: true });
      source.signal?.throwIfAborted();
      throw translate(error, destination);
    }
    await syncFolder(folder);
    return { bytes: source.digitCount, location: destination };
  }
}

async function resolveDestination(path: string): Promise<string> {
  const existing = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new InputError('a path that can be written', `${path} (${error.message})`, { cause: error });
  });
  if (existing === undefined) {
    const folder = await stat(dirname(path)).catch(() => undefined);
    if (folder?.isDirectory() !== true) throw new InputError('a path in an existing folder', path);
    return path;
  }
  if (!existing.isFile()) {
    const kind = existing.isDirectory() ? 'the directory' : 'the device or socket';
    throw new InputError('the path of a file', `${kind} ${path}`);
  }
  return realpath(path);
}

async function writeWhole(path: string, source: DigitSource): Promise<void> {
  const file = await open(path, 'wx');
  const writer = new FileWriter(file, { totalBytes: source.digitCount });
  try {
    for await (const chunk of pullDigits(source)) await writer.write(chunk);
    await writer.finish();
  } finally {
    await writer.settle();
    await file.close();
  }
}

/** Make the new name itself durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** System errors become `SinkError`; everything else came from the source and passes as it is. */
function translate(error: unknown, destination: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const full = isFull(error);
  const what = full ? 'no space left for' : 'cannot write';
  return new SinkError(`${what} ${destination}: ${error.message}`, {
    cause: error,
    code: full ? 'sink-full' : 'sink-failed',
  });
}
