import { CapacityError, chooseLane, type FactorialRow, maxInt64, TransientError } from '@factorial/backing';
import type { FactorialPlan } from '@factorial/compute';
import type { FastifyBaseLogger } from 'fastify';
import type { ApiContext } from '../dependencies.ts';
import { ApiProblem } from '../problems/problem.ts';
import type { Capacity } from './capacity.ts';
import { OneAtATime } from './one-at-a-time.ts';

/** Takes requests for n!: one row per n, one message per row. */
export class Admission {
  readonly #context: ApiContext;
  readonly #capacity: Capacity;
  // Room and unfinished counts are read, judged and used up by one request at a time.
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
    return this.#door.run(async () => {
      const existing = await this.#context.metadata.find(n);
      if (existing !== undefined && existing.status !== 'failed') return existing;
      const assessment = await this.#capacity.assess(n);
      if (!assessment.fits) throw assessment.problem;
      await this.#checkUnfinished(client);
      return this.#insertAndPublish(n, assessment.plan, client, log);
    });
  }

  async #checkUnfinished(client: string): Promise<void> {
    const { unfinishedMaxPerClient, retryAfterMaxSeconds } = this.#context.options;
    const unfinished = await this.#context.metadata.countUnfinished(client);
    if (unfinished < unfinishedMaxPerClient) return;
    throw new ApiProblem(
      'too-many-unfinished',
      `expected fewer than ${unfinishedMaxPerClient} unfinished calculations of this client, got ${unfinished}`,
      { allowed: String(unfinishedMaxPerClient) },
      { headers: { 'retry-after': String(retryAfterMaxSeconds) } },
    );
  }

  async #insertAndPublish(
    n: bigint,
    plan: FactorialPlan,
    client: string,
    log: FastifyBaseLogger,
  ): Promise<FactorialRow> {
    const digits = BigInt(plan.digitCount);
    const trailingZeros = BigInt(plan.trailingZeros);
    const { row, created } = await this.#context.metadata.request({ n, digits, trailingZeros, client });
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
}
