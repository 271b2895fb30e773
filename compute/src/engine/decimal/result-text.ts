import type { DecimalNumber } from '../../limbs/decimal-number.ts';
import { digitsPerLimb } from '../../multiply/prime-constants.ts';
import type { TaskPool } from '../../pool/task-pool.ts';
import type { KernelInstance } from '../../wasm/bridge.ts';
import { textChunkLimbs, textsPerThread } from './arena.ts';
import type { TextTask } from './text-task.ts';
import type { DecimalShare } from './thread-state.ts';

const textModule = new URL('../../../dist/engine/decimal/text-task.js', import.meta.url);

/**
 * The digits of the result, most significant first, without leading zeros. Threads write ahead into a ring of slots in the place of
 * the residues; a chunk is valid until the next one is asked for.
 */
export async function* resultText(
  pool: TaskPool,
  share: DecimalShare,
  instance: KernelInstance,
  result: DecimalNumber,
): AsyncGenerator<Uint8Array> {
  const { arena } = share;
  const slotBytes = digitsPerLimb * textChunkLimbs;
  const slotCount = textsPerThread * arena.threads + 1;
  const chunkCount = Math.ceil(result.limbCount / textChunkLimbs);
  const pending: Promise<Uint8Array>[] = [];
  const start = async (chunk: number): Promise<Uint8Array> => {
    // The highest limbs are a short chunk, all others are full.
    const last = result.limbCount - (chunkCount - 1) * textChunkLimbs;
    const limbCount = chunk === 0 ? last : textChunkLimbs;
    const limbsPtr = result.ptr + 4 * (chunkCount - 1 - chunk) * textChunkLimbs;
    const textPtr = arena.areaPtr + (chunk % slotCount) * slotBytes;
    const task: TextTask = { share, limbsPtr, limbCount, textPtr };
    await pool.run<void>(textModule, task);
    return instance.bytes.subarray(textPtr, textPtr + digitsPerLimb * limbCount);
  };
  let started = 0;
  for (let chunk = 0; chunk < chunkCount; chunk++) {
    // One slot is in the consumer's hands, the others may be written.
    for (; started < Math.min(chunkCount, chunk + slotCount - 1); started++) {
      const text = start(started);
      // A failure shows when its turn comes; until then it must not count as unhandled.
      text.catch(() => undefined);
      pending.push(text);
    }
    const text = await pending.shift()!;
    yield chunk === 0 ? text.subarray(leadingZeros(instance, result)) : text;
  }
}

function leadingZeros(instance: KernelInstance, result: DecimalNumber): number {
  const top = instance.words[(result.ptr >> 2) + result.limbCount - 1]!;
  return digitsPerLimb - String(top).length;
}
