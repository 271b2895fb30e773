import { ChunkGarbage } from './chunk-garbage.ts';

const zeroCode = 48;

/**
 * Chunks of at most `maxChunkBytes` that are the caller's own: whatever comes in is copied, then the trailing zeros follow.
 * Pulls one incoming chunk at a time.
 */
export async function* digitChunks(
  significant: AsyncIterable<Uint8Array>,
  trailingZeros: bigint,
  maxChunkBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const garbage = new ChunkGarbage();
  for await (const chunk of significant) {
    for (let offset = 0; offset < chunk.length; offset += maxChunkBytes) {
      const copy = unzeroedBytes(Math.min(maxChunkBytes, chunk.length - offset));
      copy.set(chunk.subarray(offset, offset + copy.length));
      yield copy;
      garbage.add(copy.length);
    }
  }
  for (let rest = trailingZeros; rest > 0n; rest -= BigInt(maxChunkBytes)) {
    yield new Uint8Array(rest < BigInt(maxChunkBytes) ? Number(rest) : maxChunkBytes).fill(zeroCode);
  }
}

/** Bytes of any content, in a buffer of their own: zeroing costs as much as the copy that overwrites it. */
function unzeroedBytes(byteCount: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(byteCount).buffer);
}
