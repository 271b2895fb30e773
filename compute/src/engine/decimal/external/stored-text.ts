import { digitsPerLimb } from '../../../multiply/prime-constants.ts';
import { aligned } from '../../../multiply/workspace.ts';
import type { TaskPool } from '../../../pool/task-pool.ts';
import { instantiateKernels, reservedBytes } from '../../../wasm/bridge.ts';
import type { ExternalThreads } from './external-threads.ts';
import type { StoredNumber } from './stored-number.ts';
import type { StoredTextTask } from './text-task.ts';

const textModule = new URL('../../../../dist/engine/decimal/external/text-task.js', import.meta.url);
/** Limbs of one chunk of text at most; chunks per thread that may wait to be taken, and one more. */
const largestChunkLimbs = 57_344;
const chunksPerThread = 2;

/**
 * The digits of a stored number, most significant first, without leading zeros. Threads read and write ahead into a ring of slots in the place of their
 * regions; a chunk is valid until the next one is asked for.
 */
export async function* storedText(
  pool: TaskPool,
  threads: ExternalThreads,
  number: StoredNumber,
): AsyncGenerator<Uint8Array> {
  const { share } = threads;
  const { bytes, words } = instantiateKernels(share.module, share.memory);
  const slotCount = chunksPerThread * threads.count + 1;
  const slotBytes = 64 * Math.floor((threads.count * share.regionBytes) / slotCount / 64);
  const chunkLimbs = Math.min(largestChunkLimbs, Math.floor((slotBytes - 128) / (4 + digitsPerLimb)));
  const chunkCount = Math.ceil(number.limbCount / chunkLimbs);
  const start = async (chunk: number): Promise<Uint8Array> => {
    // The highest limbs are a short chunk, all others are full.
    const first = (chunkCount - 1 - chunk) * chunkLimbs;
    const limbCount = Math.min(chunkLimbs, number.limbCount - first);
    const limbsPtr = reservedBytes + (chunk % slotCount) * slotBytes;
    const textPtr = limbsPtr + aligned(4 * chunkLimbs);
    const offsetBytes = number.offsetBytes + 4 * first;
    const task: StoredTextTask = { share, blob: number.blob, offsetBytes, limbCount, limbsPtr, textPtr };
    await pool.run<void>(textModule, task);
    const leading = chunk === 0 ? digitsPerLimb - String(words[(limbsPtr >> 2) + limbCount - 1]).length : 0;
    return bytes.subarray(textPtr + leading, textPtr + digitsPerLimb * limbCount);
  };
  const pending: Promise<Uint8Array>[] = [];
  let started = 0;
  for (let chunk = 0; chunk < chunkCount; chunk++) {
    // One slot is in the consumer's hands, the others may be written.
    for (; started < Math.min(chunkCount, chunk + slotCount - 1); started++) {
      const text = start(started);
      // A failure shows when its turn comes; until then it must not count as unhandled.
      text.catch(() => undefined);
      pending.push(text);
    }
    yield await pending.shift()!;
  }
}
