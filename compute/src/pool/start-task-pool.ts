import { InlinePool } from './inline-pool.ts';
import type { TaskPool, TaskPoolOptions } from './task-pool.ts';

/** A pool for one run, of threads that wait or new ones. It must be disposed; disposing waits until every thread is gone or left to the next run. */
export async function startTaskPool(options: TaskPoolOptions): Promise<TaskPool> {
  if (options.threads === 0) return new InlinePool(options.signal);
  const { ThreadPool } = await import('./thread-pool.ts');
  return new ThreadPool(options);
}
