import { BackingError, type CalculationRequest, type Lane, type StoredProgress } from '@factorial/backing';
import type { FactorialPlan } from '@factorial/compute';
import type { WorkerOptions, WorkerServices } from '../options.ts';
import type { ConsumerContext } from './consumer-context.ts';

/** How a wait for memory and scratch ended. */
export type MemoryTurn =
  /** They are this run's until it disposes them. */
  | { readonly kind: 'granted'; readonly share: AsyncDisposable }
  /** The row needs this run no more: it was cancelled, claimed elsewhere, or has ended. */
  | { readonly kind: 'settled' }
  /** It waited as long as it may here; another worker may have room. */
  | { readonly kind: 'overdue' }
  | { readonly kind: 'stopped' };

/**
 * Wait until the run's plan fits beside what runs in this process. The row is not claimed meanwhile, so that any worker with room may take it; its
 * progress says `waiting` and why, and at each heartbeat it is seen whether anybody still wants it.
 */
export async function takeMemoryTurn(
  request: CalculationRequest,
  plan: FactorialPlan,
  lane: Lane,
  { services, options, log, drain }: ConsumerContext,
): Promise<MemoryTurn> {
  const over = new AbortController();
  const ended = Promise.withResolvers<Exclude<MemoryTurn, { kind: 'granted' }>>();
  const end = (kind: 'settled' | 'overdue' | 'stopped'): void => {
    ended.resolve({ kind });
    over.abort();
  };
  const onStop = (): void => end('stopped');
  drain.addEventListener('abort', onStop, { once: true });
  let notes: WaitNotes | undefined;
  const onWait = (reason: string): void => {
    log.info({ number: request.number, lane, reason }, 'calculation waits');
    const progress = { phase: 'waiting', done: 0, total: Number(plan.digitCount), reason };
    notes = new WaitNotes(services.metadata, request, progress, options, end);
  };
  try {
    if (drain.aborted) return { kind: 'stopped' };
    const { memoryBytes, scratchBytes } = plan;
    const quick = lane === 'small.quick';
    const share = await services.sharedBudget.acquire({ memoryBytes, scratchBytes, quick }, over.signal, onWait);
    return { kind: 'granted', share };
  } catch (error) {
    if (over.signal.aborted) return await ended.promise;
    throw error;
  } finally {
    drain.removeEventListener('abort', onStop);
    await notes?.[Symbol.asyncDispose]();
  }
}

/** Writes on the row, at once and at every heartbeat, that it waits; ends the wait when there is nothing to wait for, or after `turnWaitMs`. */
class WaitNotes implements AsyncDisposable {
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  readonly #write: () => Promise<boolean>;
  readonly #end: (kind: 'settled' | 'overdue') => void;
  readonly #untilMs: number;
  #writing: Promise<void> | undefined;

  constructor(
    metadata: WorkerServices['metadata'],
    { number, attempt }: CalculationRequest,
    progress: StoredProgress,
    { heartbeatMs, turnWaitMs }: Pick<WorkerOptions, 'heartbeatMs' | 'turnWaitMs'>,
    end: (kind: 'settled' | 'overdue') => void,
  ) {
    this.#write = () => metadata.noteWaiting(BigInt(number), attempt, progress);
    this.#end = end;
    this.#untilMs = performance.now() + (turnWaitMs ?? Number.POSITIVE_INFINITY);
    this.#timer = setInterval(() => this.#beat(), heartbeatMs);
    this.#stopListening = metadata.onCancel((n) => {
      if (n === BigInt(number)) this.#end('settled');
    });
    this.#beat();
  }

  #beat(): void {
    if (performance.now() >= this.#untilMs) this.#end('overdue');
    this.#writing ??= this.#note().finally(() => {
      this.#writing = undefined;
    });
  }

  async #note(): Promise<void> {
    try {
      if (!(await this.#write())) this.#end('settled');
    } catch (error) {
      // Unseen for now; the claim decides in the end.
      if (!(error instanceof BackingError)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#stopListening();
    await this.#writing;
  }
}
