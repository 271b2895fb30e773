import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of chunks between two collections: below them V8 would let some hundred mebibytes pile up on a busy machine. */
const collectEveryBytes = 16 * 2 ** 20;

let collectYoung: (() => void) | undefined;

/**
 * Bounds the chunks that were consumed and not yet collected: their bytes lie outside V8's heap, so that they alone give it little reason to look for
 * them. A collection of the young generation takes about a millisecond.
 */
export class ChunkGarbage {
  #bytes = 0;

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < collectEveryBytes) return;
    this.#bytes = 0;
    collectYoung ??= exposeCollection();
    collectYoung();
  }
}

function exposeCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: (options: { readonly type: 'minor' }) => void = runInNewContext('gc');
  return () => collect({ type: 'minor' });
}
