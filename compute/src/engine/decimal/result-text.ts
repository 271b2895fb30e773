import type { DecimalNumber } from '../../limbs/decimal-number.ts';
import { digitsPerLimb, limbRadix } from '../../multiply/prime-constants.ts';
import { powerMod } from '../../multiply/primes.ts';
import type { TaskPool } from '../../pool/task-pool.ts';
import { verificationModuli } from '../../verify/moduli.ts';
import type { KernelInstance } from '../../wasm/bridge.ts';
import { textChunkLimbs } from './arena.ts';
import { TextRing } from './text-ring.ts';
import type { TextTask } from './text-task.ts';
import type { DecimalShare } from './thread-state.ts';

const textModule = new URL('../../../dist/engine/decimal/text-task.js', import.meta.url);

/**
 * The digits of a result in shared memory, written by the threads of the pool into a ring of slots in the place of the residues, and read again by them for
 * the residues of what was shown. Taken once.
 */
export class ResultText {
  readonly #pool: TaskPool;
  readonly #share: DecimalShare;
  readonly #instance: KernelInstance;
  readonly #result: DecimalNumber;
  readonly #ring: TextRing;
  #isStarted = false;
  /** Settles when no thread is at the text any more. */
  #threads: Promise<void> = Promise.resolve();

  constructor(pool: TaskPool, share: DecimalShare, instance: KernelInstance, result: DecimalNumber) {
    this.#pool = pool;
    this.#share = share;
    this.#instance = instance;
    this.#result = result;
    this.#ring = new TextRing(instance, share.arena, result.limbCount);
  }

  /** Lets the threads write ahead, as far as the ring goes, before anybody asks for a chunk. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#ring.reset();
    this.#instance.kernels.fillTextResidueTable(this.#share.arena.textResidueTablePtr);
    this.#threads = this.#startThreads();
    // It shows when a chunk or the residues are asked for.
    this.#threads.catch(() => undefined);
  }

  /**
   * Most significant first, without leading zeros. A chunk is taken as looked at when the next one is asked for, and keeps its bytes until the second
   * one after it is.
   */
  async *chunks(): AsyncGenerator<Uint8Array> {
    this.start();
    const ring = this.#ring;
    let shown = 0;
    try {
      for (; shown < ring.chunkCount; ) {
        await ring.written(shown);
        if (ring.isStopped) await this.#threads;
        const { textPtr, limbCount } = ring.chunk(shown);
        const leading = shown === 0 ? this.#leadingZeros() : 0;
        yield this.#instance.bytes.subarray(textPtr + leading, textPtr + digitsPerLimb * limbCount);
        shown++;
        ring.show(shown);
        ring.release(shown - 1);
      }
    } finally {
      // No thread may be at the memory when it serves the next run.
      if (shown < ring.chunkCount) ring.stop();
      await Promise.allSettled([this.#threads]);
    }
  }

  /** The residues modulo `verificationModuli` of the text that was shown, undefined when a byte was no digit. After the last chunk. */
  async residues(): Promise<readonly bigint[] | undefined> {
    await this.#threads;
    if (this.#ring.isStrange) return undefined;
    return verificationModuli.map((modulus, index) => {
      const weight = powerMod(BigInt(limbRadix), BigInt(textChunkLimbs), modulus);
      let residue = 0n;
      for (let chunk = 0; chunk < this.#ring.chunkCount; chunk++) {
        const own = this.#instance.longs[(this.#ring.residuesPtr(chunk) >> 3) + index]!;
        residue = (residue * weight + own) % modulus;
      }
      return residue;
    });
  }

  /** Rejects with the first failure, when every thread has stopped. */
  async #startThreads(): Promise<void> {
    const { arena } = this.#share;
    const failures: unknown[] = [];
    const parts = Array.from({ length: arena.threads }, async (_, threadIndex) => {
      const task: TextTask = { share: this.#share, limbCount: this.#result.limbCount, threadIndex };
      try {
        await this.#pool.run<void>(textModule, task);
      } catch (error) {
        failures.push(error);
        this.#ring.stop();
      }
    });
    await Promise.all(parts);
    if (failures.length > 0) throw failures[0];
  }

  #leadingZeros(): number {
    const { ptr, limbCount } = this.#result;
    const top = this.#instance.words[(ptr >> 2) + limbCount - 1]!;
    return digitsPerLimb - String(top).length;
  }
}
