import { createHash } from 'node:crypto';
import type { FactorialFacts } from '../engine/engine.ts';
import { SourceError } from '../errors.ts';
import { digitsPerLimb } from '../multiply/prime-constants.ts';
import { ChunkGarbage } from '../run/chunk-garbage.ts';
import { untilAborted } from '../sink/pull-digits.ts';
import { createMemory, instantiateKernels, type KernelInstance, reservedBytes, sharedModule } from '../wasm/bridge.ts';
import type { StoredFactorial } from './stored-factorial.ts';

const zeroCode = 48;
/** Limbs parsed at a time. */
const blockLimbs = 16_384;
const blockDigits = digitsPerLimb * blockLimbs;

const tablePtr = reservedBytes;
const accPtr = tablePtr + 8 * 1024;
const limbsPtr = accPtr + 64;
const textPtr = limbsPtr + 4 * blockLimbs + 64;
const memoryBytes = textPtr + blockDigits + 64;

export interface SourceReading {
  readonly source: Pick<StoredFactorial, 'digits' | 'sha256'>;
  /** Of m!. */
  readonly facts: FactorialFacts;
  readonly signal: AbortSignal;
  /** Takes limbs [first, first + limbs.length) of m! / 10^z, least significant first; blocks come from the highest down. They are only lent. */
  readonly onLimbs: (first: number, limbs: Uint32Array<SharedArrayBuffer>) => void | Promise<void>;
  /** Told the bytes of each chunk. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Reads the digits of m! once, in bounded memory (0.4 MiB and the source's own chunk), hands their limbs on, and returns the residues that m! / 10^z
 * has by them. Throws `SourceError` when their count, the trailing zeros, the SHA-256 or a byte is not as it should be, or the source fails; the
 * signal's reason. Whoever calls compares the residues.
 */
export async function readSource(reading: SourceReading): Promise<readonly [bigint, bigint]> {
  const { source, facts, signal, onBytes } = reading;
  const parser = new SourceParser(reading);
  const hash = source.sha256 === undefined ? undefined : createHash('sha256');
  const garbage = new ChunkGarbage();
  for await (const chunk of pullChunks(source, facts, signal)) {
    hash?.update(chunk);
    await parser.update(chunk);
    garbage.add(chunk.length);
    onBytes?.(chunk.length);
  }
  const residues = parser.finish();
  const sha256 = hash?.digest('hex');
  if (sha256 !== source.sha256?.toLowerCase()) {
    throw SourceError.mismatch(facts.n, 'SHA-256', source.sha256?.toLowerCase(), sha256);
  }
  return residues;
}

/** The source's chunks, given up with the signal's reason even while it is silent; what it throws becomes a `SourceError`. */
async function* pullChunks(
  { digits }: Pick<StoredFactorial, 'digits'>,
  { n: m }: FactorialFacts,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = digits()[Symbol.asyncIterator]();
  let isOver = false;
  try {
    for (;;) {
      const next = await untilAborted(iterator.next(), signal);
      isOver = next.done === true;
      if (next.done === true) return;
      yield next.value;
    }
  } catch (cause) {
    if (signal.aborted || cause instanceof SourceError) throw cause;
    isOver = true;
    const message = `the digits given for ${m}! cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new SourceError(message, { cause, code: 'source-unreadable' });
  } finally {
    // A source in the middle of a pull may be silent for ever: it is told, but not waited for.
    if (!isOver) iterator.return?.().catch(() => undefined);
  }
}

/** Text to limbs, residues and counts. */
class SourceParser {
  readonly #reading: SourceReading;
  readonly #instance: KernelInstance;
  readonly #significant: number;
  /** Limbs not handed on yet. */
  #limbsLeft: number;
  /** Digits of the block under way: taken so far, and in all. */
  #buffered = 0;
  #blockDigits: number;
  #bytes = 0n;
  #zeros = 0n;

  constructor(reading: SourceReading) {
    this.#reading = reading;
    const { digitCount, trailingZeros } = reading.facts;
    this.#significant = Number(digitCount - trailingZeros);
    this.#limbsLeft = Math.ceil(this.#significant / digitsPerLimb);
    // The first block is short, so that all others are full.
    this.#blockDigits = this.#significant - blockDigits * (Math.ceil(this.#limbsLeft / blockLimbs) - 1);
    this.#instance = instantiateKernels(sharedModule(), createMemory(memoryBytes));
    this.#instance.kernels.fillResidueTable(tablePtr);
  }

  async update(chunk: Uint8Array): Promise<void> {
    const { digitCount, n } = this.#reading.facts;
    this.#bytes += BigInt(chunk.length);
    if (this.#bytes > digitCount) throw SourceError.mismatch(n, 'digits', digitCount, `${this.#bytes} bytes or more`);
    const zeros = trailingZeros(chunk);
    this.#zeros = zeros === chunk.length ? this.#zeros + BigInt(zeros) : BigInt(zeros);
    for (let offset = 0; offset < chunk.length && this.#limbsLeft > 0; ) {
      const taken = Math.min(this.#blockDigits - this.#buffered, chunk.length - offset);
      this.#instance.bytes.set(chunk.subarray(offset, offset + taken), textPtr + this.#buffered);
      this.#buffered += taken;
      offset += taken;
      if (this.#buffered === this.#blockDigits) await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    const { kernels, words } = this.#instance;
    const { facts, onLimbs } = this.#reading;
    const limbCount = Math.ceil(this.#blockDigits / digitsPerLimb);
    if (!kernels.textToLimbs(textPtr, this.#blockDigits, limbsPtr)) {
      throw SourceError.mismatch(facts.n, 'bytes', 'that are ASCII digits', 'others among them');
    }
    kernels.appendLimbResidues(tablePtr, limbsPtr, limbCount, accPtr);
    this.#limbsLeft -= limbCount;
    this.#buffered = 0;
    this.#blockDigits = blockDigits;
    await onLimbs(this.#limbsLeft, words.subarray(limbsPtr >> 2, (limbsPtr >> 2) + limbCount));
  }

  /** The residues of the significant digits, when all is there and as it should be. */
  finish(): readonly [bigint, bigint] {
    const { n, digitCount, trailingZeros: zeros } = this.#reading.facts;
    if (this.#bytes !== digitCount) throw SourceError.mismatch(n, 'digits', digitCount, this.#bytes);
    if (this.#zeros !== zeros) throw SourceError.mismatch(n, 'trailing zeros', zeros, this.#zeros);
    const { longs } = this.#instance;
    return [longs[accPtr >> 3]!, longs[(accPtr >> 3) + 1]!];
  }
}

function trailingZeros(chunk: Uint8Array): number {
  let zeros = 0;
  while (zeros < chunk.length && chunk[chunk.length - 1 - zeros] === zeroCode) zeros++;
  return zeros;
}
