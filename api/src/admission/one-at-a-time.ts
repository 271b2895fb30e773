/**
 * Runs tasks one after the other, in the order of the calls: what one task checked is still true when it acts. Waiting
 * tasks are bounded by the connections that wait for them.
 */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects with the task; a failed task does not hold up the next. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task, task);
    this.#last = result;
    return result;
  }
}
