import type { Writable } from 'node:stream';
import { pullDigits, untilAborted } from './pull-digits.ts';
import type { DigitSink, DigitSource, SinkReceipt } from './sink.ts';
import { isFull, SinkError } from './sink-error.ts';

/** Codes by which a stream says that nobody reads it any more. */
const closedCodes: readonly string[] = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'];

/**
 * Writes the digits to a stream that stays open, one chunk at a time: the next is asked for when the stream has taken the last.
 * When the reader goes away (`| head`), `write` rejects with `SinkError` (`sink-closed`), which a command line ends quietly on.
 */
export class StreamSink implements DigitSink {
  readonly #stream: Writable;
  readonly #location: string;

  constructor(stream: Writable, location: string) {
    this.#stream = stream;
    this.#location = location;
  }

  async write(source: DigitSource): Promise<SinkReceipt> {
    // A broken stream reports twice, to the write and as an event; the event would end the process if nobody listened.
    const onError = () => undefined;
    this.#stream.on('error', onError);
    for await (const chunk of pullDigits(source)) await untilAborted(this.#writeChunk(chunk), source.signal);
    this.#stream.off('error', onError);
    return { bytes: source.digitCount, location: this.#location };
  }

  #writeChunk(chunk: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onClose = () => reject(this.#translate(closedError()));
    this.#stream.once('close', onClose);
    this.#stream.write(chunk, (error) => {
      this.#stream.off('close', onClose);
      if (error) reject(this.#translate(error));
      else resolve();
    });
    return promise;
  }

  #translate(cause: NodeJS.ErrnoException): SinkError {
    if (isFull(cause)) return new SinkError(`no space left for ${this.#location}`, { cause, code: 'sink-full' });
    const closed = closedCodes.includes(cause.code ?? '');
    const message = closed ? `the reader of ${this.#location} went away` : `${this.#location}: ${cause.message}`;
    return new SinkError(message, { cause, code: closed ? 'sink-closed' : 'sink-failed' });
  }
}

/** A sink for the standard output of this process. */
export function stdoutSink(): DigitSink {
  return new StreamSink(process.stdout, 'standard output');
}

function closedError(): NodeJS.ErrnoException {
  return Object.assign(new Error('the stream was closed'), { code: 'ERR_STREAM_DESTROYED' });
}
