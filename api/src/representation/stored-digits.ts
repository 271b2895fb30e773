import { createHash, hash } from 'node:crypto';
import { type ByteRange, CorruptObjectError, type FactorialRow, type ObjectStore } from '@factorial/backing';

/** The digits of one n!, ready to be sent in whole or in part. */
export interface ServedDigits {
  readonly n: bigint;
  /** Exact number of digits, hence of bytes. */
  readonly length: bigint;
  /** Hex SHA-256 of all of them. */
  readonly checksum: string;
  /** Bytes when they are in memory, else chunks that are read as they are asked for. */
  open(range: ByteRange, signal: AbortSignal): Promise<Uint8Array | AsyncIterable<Uint8Array>>;
  /** All of them as text, where they are in memory and few. */
  readonly text?: string | undefined;
}

/** Digits in memory up to this number are kept as text as well. */
const textMaxDigits = 65_536;
/** Requests that arrive at once get one array from the cache: it is hashed and described for the first of them. */
const described = new WeakMap<Uint8Array, ServedDigits>();

/** Digits held in memory, in an array that nobody writes to any more. */
export function digitsInMemory(n: bigint, digits: Uint8Array): ServedDigits {
  const known = described.get(digits);
  if (known?.n === n) return known;
  const served: ServedDigits = {
    n,
    length: BigInt(digits.length),
    checksum: hash('sha256', digits, 'hex'),
    open: async ({ start, end }) => digits.subarray(Number(start), Number(end) + 1),
    // Node writes a string in one piece with the header fields, a buffer in a piece of its own.
    text:
      digits.length <= textMaxDigits
        ? Buffer.from(digits.buffer, digits.byteOffset, digits.byteLength).toString('latin1')
        : undefined,
  };
  described.set(digits, served);
  return served;
}

/** Digits in the object store. Throws `CorruptObjectError` when the row is `done` without size or checksum. */
export function digitsInStore(row: FactorialRow, objects: ObjectStore): ServedDigits {
  const { size, checksum } = recordedFacts(row);
  return {
    n: row.n,
    length: size,
    checksum,
    open: async (range, signal) => {
      const source = await objects.read(row.objectKey, range, signal);
      return withFirstChunkRead(exactly(source, range.end - range.start + 1n));
    },
  };
}

/** All digits of a finished row in one array, checked against its size and checksum. For results that fit the cache. */
export async function loadDigits(row: FactorialRow, objects: ObjectStore): Promise<Uint8Array> {
  const { size, checksum } = recordedFacts(row);
  const digits = new Uint8Array(Number(size));
  let filled = 0;
  for await (const chunk of exactly(await objects.read(row.objectKey), size)) {
    digits.set(chunk, filled);
    filled += chunk.length;
  }
  const actual = createHash('sha256').update(digits).digest('hex');
  if (actual !== checksum) {
    throw new CorruptObjectError(
      `expected SHA-256 ${checksum} of ${row.n}!, got ${actual} from object ${row.objectKey}`,
    );
  }
  return digits;
}

function recordedFacts(row: FactorialRow): { size: bigint; checksum: string } {
  if (row.size === null || row.checksum === null) {
    throw new CorruptObjectError(`expected size and checksum on the finished row of ${row.n}, got none`);
  }
  return { size: row.size, checksum: row.checksum };
}

/** Passes chunks on and throws `CorruptObjectError` when they are not exactly `expected` bytes, so that a short object never looks whole. */
async function* exactly(source: AsyncIterable<Uint8Array>, expected: bigint): AsyncGenerator<Uint8Array> {
  let seen = 0n;
  for await (const chunk of source) {
    seen += BigInt(chunk.length);
    if (seen > expected) throw new CorruptObjectError(`expected ${expected} bytes, got at least ${seen}`);
    yield chunk;
  }
  if (seen !== expected) throw new CorruptObjectError(`expected ${expected} bytes, got ${seen}`);
}

/** Reads the first chunk now, so that an object that cannot be read at all is an error answer and not a broken one. */
async function withFirstChunkRead(source: AsyncGenerator<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const first = await source.next();
  return (async function* () {
    try {
      if (first.done !== true) yield first.value;
      yield* source;
    } finally {
      await source.return(undefined);
    }
  })();
}
