/** A row without a holder, as the sweep finds it. */
interface UnclaimedRow {
  readonly n: bigint;
  readonly attempt: number;
}

const firstPauseIntervals = 3;
const maxPauseMs = 600_000;

/**
 * How soon an unclaimed row is published again. A row may be unclaimed because its message waits behind others; each further message for it
 * only makes the queue longer, so the pause doubles from three sweeps to ten minutes. Rows that were claimed or ended are forgotten.
 */
export class RepublishPacing {
  readonly #firstPauseMs: number;
  #publications = new Map<string, { readonly dueMs: number; readonly pauseMs: number }>();

  constructor(sweepIntervalMs: number) {
    this.#firstPauseMs = Math.min(firstPauseIntervals * sweepIntervalMs, maxPauseMs);
  }

  /** Those of all unclaimed rows that are due, in their order. */
  due<Row extends UnclaimedRow>(unclaimed: readonly Row[]): readonly Row[] {
    const nowMs = performance.now();
    const known = unclaimed.flatMap((row) => {
      const publication = this.#publications.get(keyOf(row));
      return publication === undefined ? [] : [[keyOf(row), publication] as const];
    });
    this.#publications = new Map(known);
    return unclaimed.filter((row) => (this.#publications.get(keyOf(row))?.dueMs ?? 0) <= nowMs);
  }

  /** This row was published now. */
  published(row: UnclaimedRow): void {
    const before = this.#publications.get(keyOf(row));
    const pauseMs = before === undefined ? this.#firstPauseMs : Math.min(2 * before.pauseMs, maxPauseMs);
    this.#publications.set(keyOf(row), { dueMs: performance.now() + pauseMs, pauseMs });
  }
}

function keyOf({ n, attempt }: UnclaimedRow): string {
  return `${n}/${attempt}`;
}
