import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** What one run of a process took. */
export interface ProcessCost {
  readonly wallSeconds: number;
  /** Largest resident set seen, polled every 5 ms; 0 where the system does not tell. */
  readonly peakRssBytes: number;
}

/** Runs a command to its end and measures it. Throws when it does not end with 0. */
export async function measureProcess(command: readonly string[]): Promise<ProcessCost> {
  const startMs = performance.now();
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('exit', resolve));
  let peakRssBytes = 0;
  let running = true;
  const watch = (async () => {
    for (; running; await sleep(5)) peakRssBytes = Math.max(peakRssBytes, await residentPeak(child.pid));
  })();
  const status = await ended;
  const wallSeconds = (performance.now() - startMs) / 1000;
  running = false;
  await watch;
  if (status !== 0) throw new Error(`expected ${command.join(' ')} to end with 0, got ${status}`);
  return { wallSeconds, peakRssBytes };
}

async function residentPeak(pid: number | undefined): Promise<number> {
  try {
    const text = await readFile(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0);
  } catch {
    // The process has just ended, or there is no such file system.
    return 0;
  }
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
