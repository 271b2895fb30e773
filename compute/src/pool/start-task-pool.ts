import { InlinePool } from './inline-pool.ts';
import type { TaskPool, TaskPoolOptions } from './task-pool.ts';

/** Start a pool for one run. It must be disposed; disposing waits until every thread is gone. */
export async function startTaskPool(options: TaskPoolOptions): Promise<TaskPool> {
  if (options.threads === 0) return new InlinePool(options.signal);
  const { ThreadPool } = await import('./thread-pool.ts');
  return new ThreadPool(options);
}
