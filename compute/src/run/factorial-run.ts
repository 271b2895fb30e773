import { createHash } from 'node:crypto';
import type { EngineDigits, FactorialFacts } from '../engine/engine.ts';
import { InputError } from '../errors.ts';
import type { EngineName, FactorialPlan } from '../plan/plan.ts';
import type { ProgressMeter } from '../progress-meter.ts';
import type { FactorialResult } from '../result.ts';
import { TextVerifier } from '../verify/text-verifier.ts';
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
    const { facts, engineDigits, scope, meter, maxChunkBytes, faults } = this.#parts;
    const hash = createHash('sha256');
    const verifier = new TextVerifier(facts);
    let offset = 0n;
    try {
      scope.signal.throwIfAborted();
      const expected = this.#parts.expectedResidues();
      // Awaited at the end; a failure before that ends the stream anyway.
      expected.catch(() => undefined);
      const zeros = facts.trailingZeros - (engineDigits.zerosIncluded ?? 0n);
      for await (const chunk of digitChunks(engineDigits.chunks(), zeros, maxChunkBytes)) {
        faults.corruptChunk?.(chunk, offset);
        verifier.update(chunk);
        hash.update(chunk);
        offset += BigInt(chunk.length);
        meter.advance('emit', chunk.length);
        // An abort before this may have left the memory of the digits to another run.
        scope.signal.throwIfAborted();
        yield chunk;
        scope.signal.throwIfAborted();
      }
      verifier.verify(await expected);
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
