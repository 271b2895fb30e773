import { type Lane, lanes } from '@factorial/backing';
import { handleRequest } from './consumer/handle-request.ts';
import { RunRegistry } from './consumer/run-registry.ts';
import type { WorkerLog, WorkerOptions, WorkerServices } from './options.ts';
import { Sweeper } from './sweep/sweep.ts';

/**
 * Consumes calculation requests and sweeps for those that no message names any more.
 *
 * States: created → started → draining → stopped. `stop` is called once, from `started`.
 */
export class Worker {
  readonly #services: WorkerServices;
  readonly #options: WorkerOptions;
  readonly #log: WorkerLog;
  readonly #sweeper: Sweeper;
  readonly #runs: RunRegistry;
  /** No work is begun any more. */
  readonly #draining = new AbortController();
  /** What runs is aborted. */
  readonly #stopping = new AbortController();

  constructor(services: WorkerServices, options: WorkerOptions, log: WorkerLog) {
    this.#services = services;
    this.#options = options;
    this.#log = log;
    this.#sweeper = new Sweeper(services, options, log);
    this.#runs = new RunRegistry(options.concurrency);
  }

  /** Begin consuming every lane; resolves after the first sweep. */
  async start(): Promise<void> {
    for (const lane of lanes) await this.#consume(lane);
    await this.#sweeper.start();
  }

  async #consume(lane: Lane): Promise<void> {
    await this.#services.queue.consume(lane, this.#options.concurrency[lane], (delivery) =>
      handleRequest(delivery, {
        services: this.#services,
        options: this.#options,
        log: this.#log,
        runs: this.#runs,
        drain: this.#draining.signal,
        stop: this.#stopping.signal,
      }),
    );
  }

  /**
   * Take no new work, give running calculations `drainMs` to finish, then abort the rest and give their rows back. The
   * queue is closed when this resolves.
   */
  async stop(drainMs: number): Promise<void> {
    this.#draining.abort(new Error('the worker takes no more work'));
    await this.#sweeper.stop();
    const endMs = performance.now() + drainMs + abortGraceMs;
    const abort = setTimeout(() => this.#stopping.abort(new Error('the worker is stopping')), drainMs);
    try {
      await this.#services.queue.close(drainMs + abortGraceMs);
      await this.#runs.idle(Math.max(0, endMs - performance.now()));
    } finally {
      clearTimeout(abort);
      this.#stopping.abort(new Error('the worker is stopping'));
    }
  }
}

/** What aborted calculations get to remove their partial objects and release their rows. */
const abortGraceMs = 5_000;
