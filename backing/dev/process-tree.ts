import { readdirSync, readFileSync } from 'node:fs';

/** The process and all its living descendants, parents first. Empty when it is gone. Linux only (reads /proc). */
export function processTree(root: number): readonly number[] {
  const childrenOf = new Map<number, number[]>();
  let rootLives = false;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const status = statusOf(pid);
    if (status?.ended !== false) continue;
    if (pid === root) rootLives = true;
    childrenOf.set(status.parent, [...(childrenOf.get(status.parent) ?? []), pid]);
  }
  const tree = rootLives ? [root] : [];
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []));
  return tree;
}

/** Whether the process exists and is more than an entry waiting to be reaped. */
export function isAlive(pid: number): boolean {
  return statusOf(pid)?.ended === false;
}

/** Send a signal; a process that has ended meanwhile is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (fault) {
    if (!(fault instanceof Error && 'code' in fault && fault.code === 'ESRCH')) throw fault;
  }
}

/** Position of the number of threads among the fields after the name (proc(5): field 20). */
const threadsField = 17;

function statusOf(pid: number): { readonly ended: boolean; readonly parent: number } | undefined {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // Ended between the listing and the reading.
    return undefined;
  }
  // The name stands in parentheses and may hold anything, so read from the last one on.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  // While other threads of a killed process are still ending, its first one waits as a zombie and its ports are still taken.
  return { ended: fields[0] === 'Z' && Number(fields[threadsField]) <= 1, parent: Number(fields[1]) };
}
