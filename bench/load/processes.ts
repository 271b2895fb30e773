import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** A process under load. */
export interface LoadedProcess extends AsyncDisposable {
  readonly url: string;
  /** Resident memory now. */
  residentBytes(): number;
}

/** Start a program of this project on this Node; resolves when it has printed where it is. */
export async function startProcess(
  path: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<LoadedProcess> {
  const child = spawn(process.execPath, [join(root, path), ...args], {
    cwd: root,
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await printedUrl(child);
  return {
    url,
    residentBytes() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+([0-9]+) kB/.exec(status)?.[1]) * 1024;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((ended) => {
        if (child.exitCode !== null || child.signalCode !== null) return ended();
        const force = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
        child.once('close', () => {
          clearTimeout(force);
          ended();
        });
        child.kill('SIGTERM');
      }),
  };
}

const startTimeoutMs = 60_000;
const stopTimeoutMs = 30_000;

function printedUrl(child: ChildProcess): Promise<string> {
  return new Promise((settle, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`expected ${child.spawnargs.join(' ')} to say where it is within ${startTimeoutMs} ms`));
    }, startTimeoutMs);
    child.stdout?.on('data', (chunk: Buffer) => {
      const match = / at (http:\S+)/.exec(chunk.toString());
      if (match?.[1] === undefined) return;
      clearTimeout(late);
      settle(match[1]);
    });
    child.once('close', (code) => reject(new Error(`${child.spawnargs.join(' ')} ended with ${code}`)));
  });
}
