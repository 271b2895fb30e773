import { BackingError, CapacityError, chooseLane, digitsKeyOf } from '@factorial/backing';
import type { WorkerLog, WorkerOptions, WorkerServices } from '../options.ts';
import { estimatedSeconds } from '../planned.ts';
import { announceEnds } from './announce-ends.ts';
import { reconcileExecution } from './reconcile-execution.ts';
import { RepublishPacing } from './republish-pacing.ts';

/**
 * Publish again the rows that nobody holds: requests whose message was lost, calculations whose worker died. A large row is
 * first compared with its workflow execution. A full queue ends the sweep; the rest waits for the next one. Resolves to how many were published.
 *
 * @param idleMs Rows given back or requested within this time are left out: their message is on its way.
 * @param pacing Holds back rows that were published a short while ago and are still waiting in the queue.
 */
export async function sweepUnclaimed(
  services: WorkerServices,
  options: WorkerOptions,
  idleMs = 0,
  pacing = new RepublishPacing(options.sweepIntervalMs),
): Promise<number> {
  const { metadata, queue } = services;
  const rows = pacing.due(await metadata.claimable(options.sweepMaxRows, idleMs));
  let published = 0;
  for (const { n, attempt } of rows) {
    try {
      if (n >= options.largeFrom && !(await needsStart(n, services, options))) continue;
      const lane = chooseLane(n, estimatedSeconds(n, options.budgets['small.quick']), options);
      await queue.publish(lane, { version: 1, number: n.toString(), attempt });
      pacing.published({ n, attempt });
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

/** Remove unfinished writes, and objects that no row names (nor the digits they are notes about), once they are older than `unfinishedMaxAgeMs`. */
export async function sweepObjects({ metadata, objects }: WorkerServices, options: WorkerOptions): Promise<number> {
  let removed = await objects.sweepUnfinished(options.unfinishedMaxAgeMs);
  // By the clock that dated them: this machine's may be wrong by any amount.
  const youngest = (await objects.now()).getTime() - options.unfinishedMaxAgeMs;
  for await (const stored of objects.list()) {
    if (stored.modifiedAt.getTime() > youngest || (await metadata.isObjectKeyLive(digitsKeyOf(stored.key)))) continue;
    await objects.remove(stored.key);
    removed += 1;
  }
  return removed;
}

/** Whoever ended a row announces it within this time, as a rule. */
const announceIdleMs = 5_000;

/**
 * Runs the sweeps: the rows and the checkpoints every `sweepIntervalMs`, the objects four times within `unfinishedMaxAgeMs`. One at a time, errors
 * logged. Any number of workers may sweep at once: what two of them do is done once or is harmless twice.
 */
export class Sweeper {
  readonly #services: WorkerServices;
  readonly #options: WorkerOptions;
  readonly #log: WorkerLog;
  readonly #pacing: RepublishPacing;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isFirst = true;
  #objectsDueMs = 0;

  constructor(services: WorkerServices, options: WorkerOptions, log: WorkerLog) {
    this.#services = services;
    this.#options = options;
    this.#log = log;
    this.#pacing = new RepublishPacing(options.sweepIntervalMs);
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
      // At its start an embedded queue is empty, and nobody knows what a broker lost meanwhile.
      const idleMs = this.#isFirst ? 0 : this.#options.sweepIntervalMs;
      const published = await sweepUnclaimed(this.#services, this.#options, idleMs, this.#pacing);
      this.#isFirst = false;
      if (published > 0) this.#log.info({ published }, 'unclaimed requests published again');
      const announced = await announceEnds(this.#services, Math.max(idleMs, announceIdleMs));
      if (announced > 0) this.#log.info({ announced }, 'ends announced that nobody had announced');
      const checkpoints = (await this.#services.checkpoints?.sweep(this.#services.metadata)) ?? 0;
      if (checkpoints > 0) this.#log.info({ removed: checkpoints }, 'checkpoints removed that nobody needs');
      await this.#sweepObjectsWhenDue();
    } catch (error) {
      const code = error instanceof BackingError ? error.code : 'internal';
      this.#log.error({ code, reason: error instanceof Error ? error.message : 'unknown' }, 'sweep failed');
    }
  }

  async #sweepObjectsWhenDue(): Promise<void> {
    if (performance.now() < this.#objectsDueMs) return;
    const removed = await sweepObjects(this.#services, this.#options);
    this.#objectsDueMs = performance.now() + this.#options.unfinishedMaxAgeMs / 4;
    if (removed > 0) this.#log.info({ removed }, 'unreferenced objects removed');
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }
}
