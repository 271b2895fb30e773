import { ChunkGarbage } from './chunk-garbage.ts';

const zeroCode = 48;

/** One chunk of digits on its way out. */
export interface DigitChunk {
  readonly bytes: Uint8Array;
  /** What came in: the bytes themselves where they are lent, what they are a copy of otherwise. Undefined for trailing zeros. */
  readonly origin: Uint8Array | undefined;
}

export interface DigitChunkOptions {
  readonly trailingZeros: bigint;
  readonly maxChunkBytes: number;
  /** Hand on what comes in without copying it. */
  readonly lend: boolean;
}

/**
 * Chunks of at most `maxChunkBytes`, then the trailing zeros: the caller's own, or lent ones that are valid until the second one after them is asked for, if
 * what comes in is. Pulls one incoming chunk at a time.
 */
export async function* digitChunks(
  significant: AsyncIterable<Uint8Array>,
  { trailingZeros, maxChunkBytes, lend }: DigitChunkOptions,
): AsyncGenerator<DigitChunk> {
  const garbage = new ChunkGarbage();
  for await (const chunk of significant) {
    for (let offset = 0; offset < chunk.length; offset += maxChunkBytes) {
      const origin = chunk.subarray(offset, offset + maxChunkBytes);
      if (lend) {
        yield { bytes: origin, origin };
        continue;
      }
      const bytes = unzeroedBytes(origin.length);
      bytes.set(origin);
      yield { bytes, origin };
      garbage.add(bytes.length);
    }
  }
  for (let rest = trailingZeros; rest > 0n; rest -= BigInt(maxChunkBytes)) {
    const byteCount = rest < BigInt(maxChunkBytes) ? Number(rest) : maxChunkBytes;
    yield { bytes: unzeroedBytes(byteCount).fill(zeroCode), origin: undefined };
    garbage.add(byteCount);
  }
}

/** Bytes of any content, in a buffer of their own: zeroing costs as much as the copy that overwrites it. */
function unzeroedBytes(byteCount: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(byteCount).buffer);
}
