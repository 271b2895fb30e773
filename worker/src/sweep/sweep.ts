import { BackingError, CapacityError, chooseLane, digitsKeyOf } from '@factorial/backing';
import { PlanCapacityError, planFactorial } from '@factorial/compute';
import type { WorkerLog, WorkerOptions, WorkerServices } from '../options.ts';
import { reconcileExecution } from './reconcile-execution.ts';

/**
 * Publish again every row that nobody holds: requests whose message was lost, calculations whose worker died. A large row
 * is first compared with its workflow execution. A full queue ends the sweep; the rest waits for the next one. Resolves
 * to how many were published.
 */
export async function sweepUnclaimed(services: WorkerServices, options: WorkerOptions): Promise<number> {
  const { metadata, queue } = services;
  const rows = await metadata.claimable(options.sweepMaxRows);
  let published = 0;
  for (const { n, attempt } of rows) {
    try {
      if (n >= options.largeFrom && !(await needsStart(n, services, options))) continue;
      const lane = chooseLane(n, estimatedSeconds(n, options), options);
      await queue.publish(lane, { version: 1, number: n.toString(), attempt });
      published += 1;
    } catch (error) {
      if (error instanceof CapacityError) break;
      throw error;
    }
  }
  return published;
}

async function needsStart(n: bigint, services: WorkerServices, options: WorkerOptions): Promise<boolean> {
  const row = await services.metadata.find(n);
  if (row === undefined || row.status === 'done' || row.status === 'failed') return false;
  return (await reconcileExecution(row, services, options)) === 'start';
}

/** What does not fit goes to the long lane as well: there the claim fails it with the reason. */
function estimatedSeconds(n: bigint, options: WorkerOptions): number {
  try {
    return planFactorial(n, options.budgets['small.long']).estimatedSeconds;
  } catch (error) {
    if (error instanceof PlanCapacityError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** Remove unfinished writes, and objects that no row names (nor the digits they are notes about), once they are older than `unfinishedMaxAgeMs`. */
export async function sweepObjects({ metadata, objects }: WorkerServices, options: WorkerOptions): Promise<number> {
  let removed = await objects.sweepUnfinished(options.unfinishedMaxAgeMs);
  const youngest = Date.now() - options.unfinishedMaxAgeMs;
  for await (const stored of objects.list()) {
    if (stored.modifiedAt.getTime() > youngest || (await metadata.isObjectKeyLive(digitsKeyOf(stored.key)))) continue;
    await objects.remove(stored.key);
    removed += 1;
  }
  return removed;
}

/** Runs both sweeps: the rows every `sweepIntervalMs`, the objects every hundredth time. One at a time, errors logged. */
export class Sweeper {
  readonly #services: WorkerServices;
  readonly #options: WorkerOptions;
  readonly #log: WorkerLog;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #rounds = 0;

  constructor(services: WorkerServices, options: WorkerOptions, log: WorkerLog) {
    this.#services = services;
    this.#options = options;
    this.#log = log;
  }

  /** Sweep once, now, then on the interval. Resolves when the first sweep is over. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#round(), this.#options.sweepIntervalMs);
    this.#round();
    await this.#running;
  }

  #round(): void {
    if (this.#running !== undefined) return;
    this.#running = this.#sweep().finally(() => {
      this.#running = undefined;
    });
  }

  async #sweep(): Promise<void> {
    try {
      const published = await sweepUnclaimed(this.#services, this.#options);
      if (published > 0) this.#log.info({ published }, 'unclaimed requests published again');
      if (this.#rounds % objectSweepEvery === 0) {
        const removed = await sweepObjects(this.#services, this.#options);
        if (removed > 0) this.#log.info({ removed }, 'unreferenced objects removed');
      }
      this.#rounds += 1;
    } catch (error) {
      const code = error instanceof BackingError ? error.code : 'internal';
      this.#log.error({ code, reason: error instanceof Error ? error.message : 'unknown' }, 'sweep failed');
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }
}

const objectSweepEvery = 100;
