/** The threads that work on one thing together. All of them run the same program; `run` divides the work of one phase. */
export interface Team {
  readonly threads: number;
  /** Runs tasks 0…count − 1, each on one thread of the team, and returns on every thread when all are done. */
  run(count: number, task: (index: number) => void): void;
  /** The next product stands for so many units of progress. */
  weigh(units: number): void;
  /** This share of the product is done, by this thread; the shares of all threads add up to 1. */
  advance(share: number): void;
}

/** A thread by itself. */
export const aloneTeam: Team = {
  threads: 1,
  run(count, task) {
    for (let index = 0; index < count; index++) task(index);
  },
  weigh() {
    // Nobody watches what one thread does in a moment.
  },
  advance() {
    // As above.
  },
};
