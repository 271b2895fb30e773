import { hash } from 'node:crypto';
import { InputError } from '../errors.ts';
import { legendreExponent } from '../factorial/exponents.ts';
import { defaultBlockingSeconds, defaultBudget } from '../plan/budget.ts';
import type { Budget, FactorialPlan } from '../plan/plan.ts';
import { planFactorial } from '../plan/plan-factorial.ts';
import type { ProgressListener } from '../progress.ts';
import { ProgressMeter } from '../progress-meter.ts';
import type { FactorialResult } from '../result.ts';
import { multiplyTiny, tinyFactorialLimit } from '../tiny-factorial.ts';
import { KernelTextResidue } from '../verify/kernel-text-residue.ts';
import { assertTinyResidues } from '../verify/tiny-text.ts';
import type { FaultInjection } from './factorial-run.ts';
import { runIsOver } from './run-scope.ts';

/** What `TinyRun` may hold the calling thread for at least: with less, its plan would start threads. */
export const tinyBlockingSeconds = 0.002;

/** Whether a plan within this budget would compute n! at once on the calling thread, for an n that `TinyRun` takes. Absent = the default budget. */
export function isTiny(n: bigint, budget: Budget | undefined): boolean {
  if (n > tinyFactorialLimit || budget?.engine === 'gmp') return false;
  return (budget?.blockingSeconds ?? defaultBlockingSeconds) >= tinyBlockingSeconds;
}

export interface TinyRunOptions {
  readonly budget: Budget | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ProgressListener | undefined;
  readonly maxChunkBytes: number;
  readonly faults: FaultInjection;
}

/**
 * The result of a tiny n: as `FactorialRun` to its user, but whatever is not asked for is not made: plan, checksum, progress, listeners. The digits are
 * there when it is made; as they are taken they are compared with 1·2·…·n modulo both verification moduli, before the last chunk is handed out.
 * Restrictions: `isTiny(n, budget)`. Throws the signal's reason when it is aborted already.
 */
export class TinyRun implements FactorialResult {
  readonly n: bigint;
  readonly engine = 'decimal';
  readonly threads = 1;
  readonly trailingZeros: bigint;
  readonly #options: TinyRunOptions;
  readonly #text: Uint8Array<ArrayBuffer>;
  readonly #meter: ProgressMeter | undefined;
  #plan: FactorialPlan | undefined;
  #taken = false;
  #isComplete = false;
  /** Why there are no digits any more. */
  #failure: { readonly reason: unknown } | undefined;
  #sha256: PromiseWithResolvers<string> | undefined;
  readonly #onAbort = () => this.#settle();

  constructor(n: bigint, options: TinyRunOptions) {
    options.signal?.throwIfAborted();
    const zeros = legendreExponent(Number(n), 5);
    this.n = n;
    this.trailingZeros = BigInt(zeros);
    this.#options = options;
    this.#text = multiplyTiny(Number(n), zeros);
    this.#meter = this.#startMeter(zeros);
  }

  get plan(): FactorialPlan {
    this.#plan ??= planFactorial(this.n, this.#options.budget ?? defaultBudget());
    return this.#plan;
  }

  get digitCount(): bigint {
    return BigInt(this.#text.length);
  }

  get sha256(): Promise<string> {
    if (this.#sha256 === undefined) {
      this.#sha256 = Promise.withResolvers<string>();
      // Whoever only wants the digits need not look at the checksum of a run that failed.
      this.#sha256.promise.catch(() => undefined);
      this.#options.signal?.addEventListener('abort', this.#onAbort, { once: true });
      this.#settle();
    }
    return this.#sha256.promise;
  }

  digits(): AsyncIterable<Uint8Array> {
    if (this.#taken) throw new InputError('one call of digits() per result', 'a second one');
    this.#taken = true;
    return this.#stream();
  }

  async *#stream(): AsyncGenerator<Uint8Array> {
    const { maxChunkBytes, faults } = this.#options;
    const residue = new KernelTextResidue();
    let firstByte: number | undefined;
    try {
      for (let offset = 0; offset < this.#text.length; offset += maxChunkBytes) {
        this.#assertOpen();
        const chunk = this.#text.slice(offset, offset + maxChunkBytes);
        faults.corruptChunk?.(chunk, BigInt(offset));
        firstByte ??= chunk[0];
        residue.update(chunk);
        if (offset + chunk.length === this.#text.length) assertTinyResidues(Number(this.n), residue, firstByte);
        this.#meter?.advance('emit', chunk.length);
        yield chunk;
      }
      this.#assertOpen();
      this.#meter?.finish();
      this.#isComplete = true;
    } catch (reason) {
      this.#failure ??= { reason };
      throw reason;
    } finally {
      this.#close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  #startMeter(zeros: number): ProgressMeter | undefined {
    const { onProgress } = this.#options;
    if (onProgress === undefined) return undefined;
    const digits = this.#text.length - zeros;
    const meter = new ProgressMeter(digits + this.#text.length, onProgress, this.plan.estimatedSeconds);
    meter.advance('sieve', 0);
    meter.advance('product', digits);
    return meter;
  }

  #assertOpen(): void {
    this.#options.signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.reason;
  }

  #close(): void {
    if (!this.#isComplete) this.#failure ??= { reason: runIsOver };
    this.#settle();
  }

  /** Tells whoever waits for the checksum, when there is something to tell. */
  #settle(): void {
    const { signal } = this.#options;
    if (!this.#isComplete && this.#failure === undefined && signal?.aborted !== true) return;
    signal?.removeEventListener('abort', this.#onAbort);
    if (this.#isComplete) this.#sha256?.resolve(hash('sha256', this.#text));
    else this.#sha256?.reject(this.#failure === undefined ? signal?.reason : this.#failure.reason);
  }
}
