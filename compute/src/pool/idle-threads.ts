import { ThreadSet } from './thread-set.ts';

const defaultMaxQueuedTasks = 10_000;
/** Threads of at most so many are kept: each holds some MiB of scripts. */
const maxIdleThreads = 16;

/** The threads of the last run that ended, while they wait for another. One set, so that what a process holds without a run stays bounded. */
let idle: { readonly set: ThreadSet; readonly timer: NodeJS.Timeout } | undefined;

/**
 * So many threads: those that wait, if they are so many and their memory is of use, or new ones. Those that wait in vain end, since the new ones take the
 * memory they have.
 */
export function takeThreads(threads: number, usesKeptMemory: boolean): ThreadSet {
  const waiting = idle;
  forget();
  if (usesKeptMemory && waiting?.set.threads === threads) return waiting.set;
  void waiting?.set.end();
  return new ThreadSet(threads, defaultMaxQueuedTasks);
}

/** Lets threads without a task wait for the next run, `idleMs` at most; where others wait already, these end. Resolves when they do either. */
export async function keepThreads(set: ThreadSet, idleMs: number): Promise<void> {
  if (idle !== undefined || set.threads > maxIdleThreads) return await set.end();
  set.isWarm = true;
  const end = (): void => {
    if (idle?.set !== set) return;
    forget();
    void set.end();
  };
  // A thread that dies for want of anything better to do takes the others with it.
  set.onError = end;
  idle = { set, timer: setTimeout(end, idleMs).unref() };
}

function forget(): void {
  clearTimeout(idle?.timer);
  if (idle !== undefined) idle.set.onError = undefined;
  idle = undefined;
}
