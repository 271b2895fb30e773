/** The threads that work on one thing together. All of them run the same program; `run` divides the work of one phase. */
export interface Team {
  readonly threads: number;
  /** Runs tasks 0…count − 1, each on one thread of the team, and returns on every thread when all are done. */
  run(count: number, task: (index: number) => void): void;
}

/** A thread by itself. */
export const aloneTeam: Team = {
  threads: 1,
  run(count, task) {
    for (let index = 0; index < count; index++) task(index);
  },
};
