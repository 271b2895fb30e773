import { open } from 'node:fs/promises';
import type { DigitSource } from '@factorial/compute';
import { CorruptObjectError } from '../contracts/errors.ts';

/**
 * Write the source into a new file and sync it. Resolves to the bytes written, which are exactly `digitCount`. Leaves the
 * file behind when it rejects: the caller removes it.
 */
export async function writeFileDurably(path: string, source: DigitSource): Promise<bigint> {
  const file = await open(path, 'wx');
  try {
    let written = 0n;
    for await (const chunk of source.digits) {
      source.signal?.throwIfAborted();
      written += BigInt(chunk.byteLength);
      if (written > source.digitCount) break;
      for (let offset = 0; offset < chunk.byteLength; ) {
        offset += (await file.write(chunk, offset)).bytesWritten;
      }
    }
    source.signal?.throwIfAborted();
    if (written !== source.digitCount) {
      throw new CorruptObjectError(
        `expected ${source.digitCount} bytes from the source, got ${written > source.digitCount ? 'more' : written}`,
      );
    }
    await file.sync();
    return written;
  } finally {
    await file.close();
  }
}
