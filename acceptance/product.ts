import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the tree under test. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** The environment a user has: without this project's own programs on the path and without its settings. */
export function userEnvironment(settings: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|VITEST|NODE_ENV|NODE_OPTIONS|PORT$|HOST$)/.test(name),
  );
  // npm's warnings are about the host's npm configuration and would hide what the product itself says.
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter), npm_config_loglevel: 'error', ...settings };
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Programs under way, each the leader of a process group: none outlives the tests, whatever fails. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) killGroup(child, 'SIGKILL');
});

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || !running.has(child)) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // The group was gone already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Start a program in a process group of its own, as a user's shell does. */
export function start(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const child = spawn(program, [...args], { cwd: root, env: userEnvironment(), ...options, detached: true });
  running.add(child);
  child.once('close', () => running.delete(child));
  child.once('error', () => running.delete(child));
  return child;
}

/** Wait for a started program to end; after `limitMs` kill its process group and reject. */
export function finished(child: ChildProcess, limitMs = 110_000): Promise<Finished> {
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((settle, reject) => {
    const timer = setTimeout(() => {
      killGroup(child, 'SIGKILL');
      reject(new Error(`still running after ${limitMs} ms: ${child.spawnargs.join(' ')}\n${stderr}`));
    }, limitMs);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      settle({ code, signal, stdout: Buffer.concat(stdout), stderr });
    });
  });
}

/** `npx factorial …` as a user types it, in the root of the tree. */
export function factorial(args: readonly string[], options: { readonly cwd?: string } = {}): ChildProcess {
  return start('npx', ['factorial', ...args], options);
}

/** The service, started with `npm start` as a user would, on a free port and in a folder of its own. */
export class Product {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<Finished>;

  private constructor(child: ChildProcess, ended: Promise<Finished>, url: string) {
    this.#child = child;
    this.#ended = ended;
    this.url = url;
  }

  /** `how`: as a user types it, or what that runs without npm's own start, for tests that start it again and again. */
  static async start(
    dataDir: string,
    settings: Readonly<Record<string, string>> = {},
    how: 'npm' | 'node' = 'npm',
  ): Promise<Product> {
    const env = userEnvironment({ PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'warn', ...settings });
    const main = join(root, 'service', 'dist', 'start', 'main.js');
    // One kill −9 of its process group takes npm and the service at once, as a power cut does.
    const child = how === 'npm' ? start('npm', ['start'], { env }) : start(process.execPath, [main], { env });
    const ended = finished(child, 300_000);
    ended.catch(() => undefined);
    const url = await new Promise<string>((settle, reject) => {
      let output = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        const match = /Factorial service at (http:\S+)/.exec(output);
        if (match?.[1] !== undefined) settle(match[1]);
      });
      void ended.then(({ code, stderr }) => reject(new Error(`npm start ended with ${code}: ${stderr}`)), reject);
    });
    return new Product(child, ended, url);
  }

  /** kill −9 of the whole process group; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#ended;
  }

  /** A signal to the whole group, as Ctrl-C on a terminal sends it. npm ends by the signal; what the service did is in its log. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Finished> {
    this.#signal(signal);
    return await this.#ended;
  }

  #signal(signal: NodeJS.Signals): void {
    killGroup(this.#child, signal);
  }

  async request(number: string | number): Promise<Response> {
    return await fetch(`${this.url}/factorial`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ number }),
    });
  }

  async metadata(
    number: string | number,
  ): Promise<{ status: string; checksum: string; size: string; digits: string; [member: string]: unknown }> {
    const response = await fetch(`${this.url}/factorial/metadata?number=${number}`);
    return (await response.json()) as { status: string; checksum: string; size: string; digits: string };
  }

  /** Wait until the row is `done` or `failed`; rejects after `limitMs`. */
  async settled(number: string | number, limitMs = 90_000): Promise<Awaited<ReturnType<Product['metadata']>>> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const row = await this.metadata(number);
      if (row.status === 'done' || row.status === 'failed') return row;
      if (Date.now() > deadline) throw new Error(`${number}! is still ${JSON.stringify(row)} after ${limitMs} ms`);
      await new Promise((next) => setTimeout(next, 50));
    }
  }
}

/** A folder for one test file's state, and its removal. */
export async function temporaryFolder(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'factorial-acceptance-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
