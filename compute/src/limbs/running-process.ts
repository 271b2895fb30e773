import { readFileSync } from 'node:fs';

/**
 * When the process with this number started, in the system's ticks since it booted, '' where the system does not tell; undefined when no such process runs.
 * One that ended and was not waited for by its parent yet, a zombie, does not run. Fields 3 and 22 of proc(5) stat.
 */
export function runningSince(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  const line = processLine(pid);
  // The second field, the program's name, is in parentheses and may hold anything.
  const [state = '', ...fields] = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? undefined : (fields[18] ?? '');
}

function processLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // Not Linux, or the process is just gone.
    return '';
  }
}
