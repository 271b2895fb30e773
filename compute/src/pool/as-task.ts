import { ComputeError } from '../errors.ts';
import type { TaskReply } from './task-pool.ts';

/** Makes the default export of a worker module from a task function: what it throws becomes a reply. */
export function asTask<Task, Result>(
  perform: (task: Task) => Result | Promise<Result>,
): (task: Task) => Promise<TaskReply<Result>> {
  return async (task) => {
    try {
      return { value: await perform(task) };
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      return error instanceof ComputeError ? { failure, code: error.code } : { failure };
    }
  };
}
