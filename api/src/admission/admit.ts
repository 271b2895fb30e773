import { CapacityError, chooseLane, type FactorialRow, maxInt64, TransientError } from '@factorial/backing';
import type { FastifyBaseLogger } from 'fastify';
import type { ApiContext } from '../dependencies.ts';
import { ApiProblem } from '../problems/problem.ts';
import { type Capacity, storeFull } from './capacity.ts';
import { OneAtATime } from './one-at-a-time.ts';

/** Takes requests for n!: one row per n, one message per row. */
export class Admission {
  readonly #context: ApiContext;
  readonly #capacity: Capacity;
  readonly #door = new OneAtATime();

  constructor(context: ApiContext, capacity: Capacity) {
    this.#context = context;
    this.#capacity = capacity;
  }

  /**
   * The row of n ≥ 0, made and published when nobody asked before or the last attempt failed. Throws `number-too-large`,
   * `store-full` and `too-many-unfinished`; a row that exists and did not fail is returned whatever the limits say.
   */
  async admit(n: bigint, client: string, log: FastifyBaseLogger): Promise<FactorialRow> {
    if (n > maxInt64) throw await this.#capacity.beyondAll(n);
    const known = await this.#context.metadata.find(n);
    if (known !== undefined && known.status !== 'failed') return known;
    // Judged one at a time: the database does so anyway, and those who wait here take none of its connections.
    const { row, created } = await this.#door.run(() => this.#insert(n, client));
    if (created) await this.#publish(row, log);
    return row;
  }

  /** Judged once more as the row is inserted: what others took meanwhile, in whatever process, counts. */
  async #insert(n: bigint, client: string): Promise<{ readonly row: FactorialRow; readonly created: boolean }> {
    const { metadata, options } = this.#context;
    const existing = await metadata.find(n);
    if (existing !== undefined && existing.status !== 'failed') return { row: existing, created: false };
    const assessment = await this.#capacity.assess(n);
    if (!assessment.fits) throw assessment.problem;
    const { plan, limits } = assessment;
    const { unfinishedMaxPerClient } = options;
    const digits = BigInt(plan.digitCount);
    const input = { n, digits, trailingZeros: BigInt(plan.trailingZeros), client };
    const outcome = await metadata.requestWithin(input, { ...limits, unfinishedMaxPerClient });
    if (outcome.kind === 'store-full') throw storeFull(n, digits, outcome.usage, limits);
    if (outcome.kind === 'too-many-unfinished') throw this.#tooManyUnfinished(outcome.unfinished);
    return outcome;
  }

  async #publish({ n, attempt }: FactorialRow, log: FastifyBaseLogger): Promise<void> {
    const { queue, options } = this.#context;
    try {
      const lane = chooseLane(n, this.#capacity.quickSeconds(n), options);
      await queue.publish(lane, { version: 1, number: String(n), attempt });
    } catch (error) {
      // The row is the request; the sweep publishes what nobody claims.
      if (!(error instanceof CapacityError || error instanceof TransientError)) throw error;
      log.warn({ err: error, number: String(n) }, 'request recorded but not published yet');
    }
  }

  #tooManyUnfinished(unfinished: number): ApiProblem {
    const { unfinishedMaxPerClient, retryAfterMaxSeconds } = this.#context.options;
    return new ApiProblem(
      'too-many-unfinished',
      `expected fewer than ${unfinishedMaxPerClient} unfinished calculations of this client, got ${unfinished}`,
      { allowed: String(unfinishedMaxPerClient) },
      { headers: { 'retry-after': String(retryAfterMaxSeconds) } },
    );
  }
}
