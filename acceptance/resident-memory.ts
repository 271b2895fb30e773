import { readdirSync, readFileSync } from 'node:fs';

const sampleMs = 20;
const kibibyte = 1024;

/** A member of /proc/…/status in bytes; 0 of a process that is gone. */
function statusBytes(pid: number, member: 'VmRSS' | 'VmHWM'): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`${member}:\\s+(\\d+) kB`).exec(text)?.[1] ?? 0) * kibibyte;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH')
      return 0;
    throw error;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch (error) {
    // A thread or the process ended meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH')
      return [];
    throw error;
  }
}

/** Resident bytes of a process and of all it started. */
export function residentBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS') + childrenOf(pid).reduce((sum, child) => sum + residentBytes(child), 0);
}

/** Watches the resident memory of a process tree from the moment it is made. */
export class PeakMemory {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  #peakBytes = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#sample(), sampleMs);
  }

  #sample(): void {
    this.#peakBytes = Math.max(this.#peakBytes, residentBytes(this.#pid));
  }

  /** The most of any sample, and what the kernel noted of the process itself, which misses no moment. */
  stop(): number {
    clearInterval(this.#timer);
    this.#sample();
    return Math.max(this.#peakBytes, statusBytes(this.#pid, 'VmHWM'));
  }
}
