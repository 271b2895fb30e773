import type { DigitSource } from '../src/sink/sink.ts';

/** What a test can see of a source it made. */
export interface WatchedSource extends DigitSource {
  /** Chunks pulled so far. */
  readonly pulled: () => number;
  /** Whether the consumer let go of it, or it ended. */
  readonly released: () => boolean;
}

/** `chunkCount` chunks of `chunkBytes` digits each; `digitCount` may lie. */
export function watchedSource(
  chunkCount: number,
  chunkBytes: number,
  options: {
    readonly digitCount?: bigint;
    readonly signal?: AbortSignal;
    readonly failAt?: number;
    readonly stallAt?: number;
  } = {},
): WatchedSource {
  let pulled = 0;
  let released = false;
  async function* digits(): AsyncGenerator<Uint8Array> {
    try {
      for (; pulled < chunkCount; pulled++) {
        if (pulled === options.failAt) throw new Error('the source failed');
        if (pulled === options.stallAt) await new Promise(() => undefined);
        yield new Uint8Array(chunkBytes).fill(48 + (pulled % 10));
      }
    } finally {
      released = true;
    }
  }
  return {
    digits: digits(),
    digitCount: options.digitCount ?? BigInt(chunkCount) * BigInt(chunkBytes),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    pulled: () => pulled,
    released: () => released,
  };
}

/** The bytes that `watchedSource` yields. */
export function watchedBytes(chunkCount: number, chunkBytes: number): string {
  return Array.from({ length: chunkCount }, (_, index) => String(index % 10).repeat(chunkBytes)).join('');
}
