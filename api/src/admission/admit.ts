import { CapacityError, chooseLane, type FactorialRow, maxInt64, TransientError } from '@factorial/backing';
import type { FastifyBaseLogger } from 'fastify';
import type { ApiContext } from '../dependencies.ts';
import { ApiProblem } from '../problems/problem.ts';
import { type Assessment, type Capacity, storeFull } from './capacity.ts';

/** Takes requests for n!: one row per n, one message per row. */
export class Admission {
  readonly #context: ApiContext;
  readonly #capacity: Capacity;

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
    const assessment = await this.#capacity.assess(n);
    if (!assessment.fits) throw assessment.problem;
    return this.#insertAndPublish(n, assessment, client, log);
  }

  /** Judged once more as the row is inserted: what others took meanwhile, here or in another process, counts. */
  async #insertAndPublish(
    n: bigint,
    { plan, limits }: Extract<Assessment, { readonly fits: true }>,
    client: string,
    log: FastifyBaseLogger,
  ): Promise<FactorialRow> {
    const { unfinishedMaxPerClient } = this.#context.options;
    const digits = BigInt(plan.digitCount);
    const trailingZeros = BigInt(plan.trailingZeros);
    const input = { n, digits, trailingZeros, client };
    const outcome = await this.#context.metadata.requestWithin(input, { ...limits, unfinishedMaxPerClient });
    if (outcome.kind === 'store-full') throw storeFull(n, digits, outcome.usage, limits);
    if (outcome.kind === 'too-many-unfinished') throw this.#tooManyUnfinished(outcome.unfinished);
    const { row, created } = outcome;
    if (created) {
      try {
        const message = { version: 1, number: String(n), attempt: row.attempt } as const;
        await this.#context.queue.publish(
          chooseLane(n, this.#capacity.quickSeconds(n), this.#context.options),
          message,
        );
      } catch (error) {
        // The row is the request; the sweep publishes what nobody claims.
        if (!(error instanceof CapacityError || error instanceof TransientError)) throw error;
        log.warn({ err: error, number: String(n) }, 'request recorded but not published yet');
      }
    }
    return row;
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
