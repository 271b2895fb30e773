import { readdirSync, readFileSync } from 'node:fs';

/** The process and all its living descendants, parents first. Empty when it is gone. Linux only (reads /proc). */
export function processTree(root: number): readonly number[] {
  const childrenOf = new Map<number, number[]>();
  let rootLives = false;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const status = statusOf(pid);
    if (status === undefined || status.state === 'Z') continue;
    if (pid === root) rootLives = true;
    childrenOf.set(status.parent, [...(childrenOf.get(status.parent) ?? []), pid]);
  }
  const tree = rootLives ? [root] : [];
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []));
  return tree;
}

/** Whether the process exists and is more than an entry waiting to be reaped. */
export function isAlive(pid: number): boolean {
  const status = statusOf(pid);
  return status !== undefined && status.state !== 'Z';
}

/** Send a signal; a process that has ended meanwhile is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (fault) {
    if (!(fault instanceof Error && 'code' in fault && fault.code === 'ESRCH')) throw fault;
  }
}

function statusOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // Ended between the listing and the reading.
    return undefined;
  }
  // The name stands in parentheses and may hold anything, so read from the last one on.
  const [state = '', parent = ''] = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { state, parent: Number(parent) };
}
