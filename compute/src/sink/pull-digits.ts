import type { DigitSource } from './sink.ts';
import { SinkError } from './sink-error.ts';

/**
 * The digits of a source as every sink takes them: one chunk at a time, broken off with the signal's reason even while the source
 * is silent, and counted. One byte too many or too few is a `SinkError` (`sink-byte-count`).
 */
export async function* pullDigits(source: DigitSource): AsyncGenerator<Uint8Array> {
  const iterator = source.digits[Symbol.asyncIterator]();
  let bytes = 0n;
  let state: 'idle' | 'pulling' | 'ended' = 'idle';
  try {
    for (;;) {
      state = 'pulling';
      const next = await untilAborted(iterator.next(), source.signal);
      state = next.done === true ? 'ended' : 'idle';
      if (next.done === true) break;
      bytes += BigInt(next.value.length);
      assertByteCount(bytes <= source.digitCount, source.digitCount, bytes);
      yield next.value;
    }
    assertByteCount(bytes === source.digitCount, source.digitCount, bytes);
  } finally {
    const released = state === 'ended' ? undefined : iterator.return?.();
    // A source that was broken off in the middle of a pull may be silent for ever: it is told, but not waited for.
    if (state === 'pulling') released?.catch(() => undefined);
    else await released;
  }
}

function assertByteCount(right: boolean, expected: bigint, got: bigint): void {
  if (right) return;
  throw new SinkError(`expected ${expected} bytes of digits, got ${got}`, { code: 'sink-byte-count' });
}

/**
 * What the promise comes to, or the signal's reason if it aborts first. (A `Promise.race` against one promise for the whole
 * transfer would keep every chunk alive until its end.)
 */
export function untilAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
