import type { Worker } from 'node:worker_threads';

const live = new Set<Worker>();
process.on('worker', (worker) => {
  live.add(worker);
  worker.once('exit', () => live.delete(worker));
});

/**
 * Numbers of the threads of this process that run scripts and have not ended, idle ones included.
 *
 * A diagnostic report would list them too, but taking one while a thread ends aborts the process.
 */
export const threadIds = (): number[] => Array.from(live, ({ threadId }) => threadId).toSorted((a, b) => a - b);
