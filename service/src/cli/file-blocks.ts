import { open } from 'node:fs/promises';

/**
 * A file's bytes in order, in blocks of at most `blockBytes`. Two buffers take turns: while the caller works on one block, the next is being read. A block is
 * overwritten as soon as the next one is asked for. Memory: 2·`blockBytes`. Throws what reading throws, or the signal's reason.
 */
export async function* readFileBlocks(
  path: string,
  blockBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  const buffers = [Buffer.allocUnsafeSlow(blockBytes), Buffer.allocUnsafeSlow(blockBytes)] as const;
  const readInto = (buffer: Buffer) => {
    const reading = file.read(buffer, 0, blockBytes, null);
    // It shows when its block is asked for; until then it must not count as unhandled.
    reading.catch(() => undefined);
    return reading;
  };
  let [current, other]: readonly [Buffer, Buffer] = buffers;
  let reading = readInto(current);
  try {
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      reading = readInto(other);
      yield current.subarray(0, bytesRead);
      [current, other] = [other, current];
    }
  } finally {
    await reading.catch(() => undefined);
    await file.close();
  }
}
