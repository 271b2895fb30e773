import { createHash } from 'node:crypto';
import type { EngineDigits, FactorialFacts } from '../engine/engine.ts';
import { InputError } from '../errors.ts';
import type { EngineName, FactorialPlan } from '../plan/plan.ts';
import type { ProgressMeter } from '../progress-meter.ts';
import type { FactorialResult } from '../result.ts';
import { nothingFollowed, TextVerifier } from '../verify/text-verifier.ts';
import { digitChunks } from './digit-chunks.ts';
import type { RunScope } from './run-scope.ts';

/** Test hook: may change a chunk before anything sees it. */
export interface FaultInjection {
  readonly corruptChunk?: (chunk: Uint8Array, offset: bigint) => void;
}

export interface FactorialRunParts {
  readonly facts: FactorialFacts;
  readonly plan: FactorialPlan;
  readonly engineDigits: EngineDigits;
  readonly expectedResidues: () => Promise<readonly bigint[]>;
  readonly scope: RunScope;
  readonly meter: ProgressMeter;
  readonly maxChunkBytes: number;
  /** Hand out chunks of the engine's own memory where these last long enough. */
  readonly lendChunks: boolean;
  readonly faults: FaultInjection;
}

/**
 * The result of one run. States: waiting → (digits() pulled) streaming → closed; an abort or dispose closes it from anywhere. Closing
 * stops all threads and settles `sha256`; after it a pull throws the reason.
 */
export class FactorialRun implements FactorialResult {
  readonly n: bigint;
  readonly plan: FactorialPlan;
  readonly engine: EngineName;
  readonly threads: number;
  readonly digitCount: bigint;
  readonly trailingZeros: bigint;
  readonly sha256: Promise<string>;
  readonly #parts: FactorialRunParts;
  readonly #sha256 = Promise.withResolvers<string>();
  #taken = false;

  constructor(parts: FactorialRunParts) {
    this.#parts = parts;
    this.n = parts.facts.n;
    this.plan = parts.plan;
    this.engine = parts.plan.engine;
    this.threads = Math.max(1, parts.plan.threads);
    this.digitCount = parts.facts.digitCount;
    this.trailingZeros = parts.facts.trailingZeros;
    this.sha256 = this.#sha256.promise;
    // Whoever only wants the digits need not look at the checksum of a run that failed.
    this.sha256.catch(() => undefined);
    parts.scope.signal.addEventListener('abort', () => this.#sha256.reject(parts.scope.signal.reason), { once: true });
  }

  digits(): AsyncIterable<Uint8Array> {
    if (this.#taken) throw new InputError('one call of digits() per result', 'a second one');
    this.#taken = true;
    return this.#stream();
  }

  async *#stream(): AsyncGenerator<Uint8Array> {
    const { facts, engineDigits, scope, meter, maxChunkBytes, lendChunks, faults } = this.#parts;
    const hash = createHash('sha256');
    const verifier = new TextVerifier(facts);
    let offset = 0n;
    try {
      scope.signal.throwIfAborted();
      const expected = this.#parts.expectedResidues();
      // Awaited at the end; a failure before that ends the stream anyway.
      expected.catch(() => undefined);
      const trailingZeros = facts.trailingZeros - (engineDigits.zerosIncluded ?? 0n);
      // Zeros are not the engine's: they stand between the last chunk it lent and the end, after which its memory may serve another run.
      const lend = lendChunks && engineDigits.keepsChunks === true && trailingZeros > 0n;
      for await (const { bytes: chunk, origin } of digitChunks(engineDigits.chunks(), {
        trailingZeros,
        maxChunkBytes,
        lend,
      })) {
        faults.corruptChunk?.(chunk, offset);
        hash.update(chunk);
        if (engineDigits.textResidues !== undefined && origin !== undefined) verifier.follow(chunk, origin);
        else verifier.update(chunk);
        offset += BigInt(chunk.length);
        meter.advance('emit', chunk.length);
        // An abort before this may have left the memory of the digits to another run.
        scope.signal.throwIfAborted();
        yield chunk;
        scope.signal.throwIfAborted();
      }
      const followed = engineDigits.textResidues === undefined ? nothingFollowed : await engineDigits.textResidues();
      verifier.verify(await expected, followed);
      meter.finish();
      this.#sha256.resolve(hash.digest('hex'));
    } catch (failure) {
      // An abort makes much fail: what counts is why.
      const error = scope.signal.aborted ? scope.signal.reason : failure;
      this.#sha256.reject(error);
      throw error;
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.scope[Symbol.asyncDispose]();
  }
}
