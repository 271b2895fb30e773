/** What a sink needs to know before the first digit arrives. */
export interface DigitSource {
  /** ASCII digits, most significant first. Pulled one chunk at a time: a slow sink slows the source. A chunk is the one's who pulled it. */
  readonly digits: AsyncIterable<Uint8Array>;
  /** Exact number of bytes that `digits` will yield. */
  readonly digitCount: bigint;
  readonly signal?: AbortSignal;
}

/** One stored part of a multipart object. */
export interface StoredPart {
  readonly partNumber: number;
  readonly bytes: number;
  readonly eTag: string;
}

export interface SinkReceipt {
  /** Bytes written, checked by the sink against `digitCount`. */
  readonly bytes: bigint;
  /** Where it went: a path, or bucket and key. */
  readonly location: string;
  readonly eTag?: string;
  readonly parts?: readonly StoredPart[];
}

/**
 * A destination for the digits of one result.
 *
 * `write` consumes the source to its end and only then makes the destination visible; when the source throws, the signal
 * aborts, or the byte count is not `digitCount`, it removes what it wrote and rethrows. It is called once per sink.
 */
export interface DigitSink {
  write(source: DigitSource): Promise<SinkReceipt>;
}
