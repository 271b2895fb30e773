import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { runningSince } from './running-process.ts';

/** Name of the file in a folder of scratch files that says whose they are. */
export const ownerFileName = 'owner';

/** Which process on which machine: a number alone may have been given to another one since. */
interface Owner {
  readonly pid: number;
  /** When the process started, in the system's ticks since `boot`; '' where the system does not tell. */
  readonly started: string;
  readonly boot: string;
  readonly host: string;
  /** Within which process numbers mean anything: containers have their own. */
  readonly namespace: string;
}

/** What this process writes into its folders. */
export function ownerMark(): string {
  return JSON.stringify(ownerOf(process.pid));
}

/** The process that wrote the mark is certainly still there. */
export function isLiving(mark: string): boolean {
  const owner = parseOwner(mark);
  return owner !== undefined && isHere(owner) && isRunning(owner);
}

/** The process that wrote the mark is certainly gone; false for what was written elsewhere, and for what cannot be read. */
export function isGone(mark: string): boolean {
  const owner = parseOwner(mark);
  if (owner === undefined || owner.host !== hostname()) return false;
  if (owner.boot !== '' && bootId() !== '' && owner.boot !== bootId()) return true;
  return isHere(owner) && !isRunning(owner);
}

function ownerOf(pid: number): Owner {
  return { pid, started: runningSince(pid) ?? '', boot: bootId(), host: hostname(), namespace: namespaceId() };
}

function isHere({ host, boot, namespace }: Owner): boolean {
  return host === hostname() && boot === bootId() && namespace === namespaceId();
}

/** A process with this number runs and, where the system tells, started when the owner did. */
function isRunning({ pid, started }: Owner): boolean {
  const found = runningSince(pid);
  return found !== undefined && (started === '' || found === '' || found === started);
}

function parseOwner(mark: string): Owner | undefined {
  try {
    const { pid, started, boot, host, namespace } = JSON.parse(mark) as Partial<Owner>;
    if (!Number.isSafeInteger(pid) || pid! < 1) return undefined;
    if (![started, boot, host, namespace].every((text) => typeof text === 'string')) return undefined;
    return { pid: pid!, started: started!, boot: boot!, host: host!, namespace: namespace! };
  } catch {
    // Whoever writes it may be in the middle of it, or it is not a mark at all: nobody can tell.
    return undefined;
  }
}

function bootId(): string {
  return readSystemFile('/proc/sys/kernel/random/boot_id').trim();
}

function namespaceId(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux.
    return '';
  }
}

/** '' where there is no such file. */
function readSystemFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not Linux, or the process is gone.
    return '';
  }
}
