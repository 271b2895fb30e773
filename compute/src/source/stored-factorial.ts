import { InputError } from '../errors.ts';
import { parseFactorialNumber } from '../factorial/factorial-number.ts';

/** The digits of an m!, stored somewhere, that n! may be computed from: n! = m!·(m + 1)…n. */
export interface StoredFactorial {
  /** m, from 0 to n. */
  readonly n: unknown;
  /**
   * The ASCII digits of m!, most significant first, trailing zeros and all, nothing else. Called when the plan starts from m!, and then once. Chunks
   * may have any size, are taken one by one, and only read; the iterator is broken off when the run ends before them.
   */
  readonly digits: () => AsyncIterable<Uint8Array>;
  /** Hex SHA-256 that the digits should have; they are checked against the primes in any case. */
  readonly sha256?: string;
  /** What `digits` yields per second, about: the plan waits for no source that is slower than computing. 400 MB/s when absent. */
  readonly bytesPerSecond?: number;
}

/** What a plan needs to know of a stored m!. */
export type SourceOffer = Pick<StoredFactorial, 'n' | 'bytesPerSecond'>;

/** A stored m! with its members validated. */
export interface ParsedSource {
  readonly m: bigint;
  readonly bytesPerSecond: number;
}

const defaultBytesPerSecond = 400e6;

/** Throws `InputError` unless m is a number from 0 to n and the rate is positive. */
export function parseSource(
  { n: given, bytesPerSecond = defaultBytesPerSecond }: SourceOffer,
  n: bigint,
): ParsedSource {
  const m = parseFactorialNumber(given);
  if (m > n) throw new InputError(`a stored m! with m from 0 to ${n}, to compute ${n}! from`, `${m}!`);
  if (!(bytesPerSecond > 0))
    throw new InputError('a positive bytesPerSecond of the stored digits', `${bytesPerSecond}`);
  return { m, bytesPerSecond };
}

/** Throws `InputError` unless it is absent or 64 hexadecimal digits. */
export function assertSha256(sha256: string | undefined): void {
  if (sha256 === undefined || /^[0-9a-f]{64}$/i.test(sha256)) return;
  throw new InputError('a SHA-256 of 64 hexadecimal digits', sha256.slice(0, 80));
}
