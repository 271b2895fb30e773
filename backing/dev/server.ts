import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, processTree, signalProcess } from './process-tree.ts';

/** A private server on 127.0.0.1, with data of its own. Everything is done to its own processes, by pid. */
export interface RunningServer {
  readonly name: string;
  /** Where clients reach it, with credentials. The same over restarts. */
  readonly url: string;
  readonly directory: string;
  /** Its living processes now, children included; empty while it is stopped. */
  readonly pids: readonly number[];
  /** Start again on the same data and port, after `stop` or `kill`. Resolves when it answers. */
  start(): Promise<void>;
  /** End it in good order, and by SIGKILL if that takes too long. The data stay. */
  stop(): Promise<void>;
  /** Send a signal to all its processes at once (default SIGKILL). Resolves when they are gone, unless it is no ending signal. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stand still as under a stall: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** `stop`, and remove the directory when it was made for this server. */
  dispose(): Promise<void>;
}

export interface ServerProcess {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Run as this user; only root can. */
  readonly user?: string;
}

export interface ServerDefinition {
  readonly name: string;
  readonly url: string;
  readonly directory: ServerDirectory;
  /** In the order they start; they stop in reverse. */
  readonly processes: readonly ServerProcess[];
  /** Rejects until the server answers. Called again and again. */
  probe(): Promise<void>;
  /** Asks for a stop in good order. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Default 30,000. */
  readonly readyTimeoutMs?: number;
  /** Default 10,000; then SIGKILL. */
  readonly stopTimeoutMs?: number;
  /** Processes it left outside its own tree, such as Erlang's port mapper. They end with `stop` and `kill`. */
  strayPids?(): readonly number[];
}

export interface ServerDirectory {
  readonly path: string;
  /** Made for this server, removed by `dispose`. */
  readonly temporary: boolean;
}

/** The given directory, made when missing, else a new temporary one. */
export async function serverDirectory(name: string, given?: string): Promise<ServerDirectory> {
  if (given === undefined) return { path: mkdtempSync(join(tmpdir(), `factorial-${name}-`)), temporary: true };
  await mkdir(given, { recursive: true });
  return { path: given, temporary: false };
}

/** Start the processes and wait until the server answers; when it does not, end them and say what its log says. */
export async function startServer(definition: ServerDefinition): Promise<RunningServer> {
  const server = new LocalServer(definition);
  try {
    await server.start();
  } catch (fault) {
    await server.dispose();
    throw fault;
  }
  return server;
}

class LocalServer implements RunningServer {
  readonly name: string;
  readonly url: string;
  readonly directory: string;
  readonly #definition: ServerDefinition;
  #children: readonly ChildProcess[] = [];

  constructor(definition: ServerDefinition) {
    this.name = definition.name;
    this.url = definition.url;
    this.directory = definition.directory.path;
    this.#definition = definition;
  }

  get pids(): readonly number[] {
    const trees = this.#children.flatMap((child) => (child.pid === undefined ? [] : processTree(child.pid)));
    return [...new Set([...trees, ...(this.#definition.strayPids?.() ?? []).filter(isAlive)])];
  }

  async start(): Promise<void> {
    if (this.pids.length > 0) throw new Error(`expected ${this.name} to be stopped before a start, got it running`);
    const log = openSync(this.#logFile, 'a');
    try {
      this.#children = this.#definition.processes.map((process) => spawnProcess(process, this.directory, log));
    } finally {
      closeSync(log);
    }
    await this.#untilReady();
  }

  async stop(): Promise<void> {
    const pids = this.pids;
    this.resume();
    for (const child of this.#children.toReversed()) {
      if (child.pid !== undefined) signalProcess(child.pid, this.#definition.stopSignal ?? 'SIGTERM');
    }
    const deadline = Date.now() + (this.#definition.stopTimeoutMs ?? 10_000);
    const roots = this.#children.flatMap((child) => child.pid ?? []);
    while (roots.some(isAlive) && Date.now() < deadline) await sleep(20);
    await endProcesses([...pids, ...this.pids]);
    this.#children = [];
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const pids = this.pids;
    for (const pid of pids) signalProcess(pid, signal);
    if (signal !== 'SIGKILL') return;
    // What was forked between the listing and the signal.
    await endProcesses([...pids, ...this.pids]);
    this.#children = [];
  }

  pause(): void {
    for (const pid of this.pids) signalProcess(pid, 'SIGSTOP');
  }

  resume(): void {
    for (const pid of this.pids) signalProcess(pid, 'SIGCONT');
  }

  async dispose(): Promise<void> {
    await this.stop();
    if (this.#definition.directory.temporary) await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  get #logFile(): string {
    return join(this.directory, `${this.name}.log`);
  }

  async #untilReady(): Promise<void> {
    const timeoutMs = this.#definition.readyTimeoutMs ?? 30_000;
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      this.#assertAlive();
      try {
        await this.#definition.probe();
        // It may have been somebody else who answered, on a port that this server did not get.
        await sleep(5);
        this.#assertAlive();
        return;
      } catch (fault) {
        this.#assertAlive();
        if (Date.now() > deadline) {
          throw new Error(`expected ${this.name} to answer within ${timeoutMs} ms, got ${fault}${this.#logTail()}`);
        }
        await sleep(50);
      }
    }
  }

  #assertAlive(): void {
    const ended = this.#children.find((child) => child.exitCode !== null || child.signalCode !== null);
    if (ended) {
      throw new Error(`${this.name} ended at its start (${ended.exitCode ?? ended.signalCode})${this.#logTail()}`);
    }
  }

  #logTail(): string {
    return `; the end of its log:\n${readFileSync(this.#logFile, 'utf8').slice(-2_000)}`;
  }
}

/** `setpriv` changes the user and makes the kernel end the server, also a paused one, when this process dies without a word. */
function spawnProcess(process: ServerProcess, directory: string, log: number): ChildProcess {
  const asUser = process.user === undefined ? [] : ['--reuid', process.user, '--regid', process.user, '--init-groups'];
  const child = spawn('setpriv', [...asUser, '--pdeathsig', 'KILL', '--', process.command, ...process.arguments], {
    cwd: directory,
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
      ...process.environment,
    },
    stdio: ['ignore', log, log],
    // A group of its own: Ctrl-C on the terminal reaches this process, which then stops the servers in order.
    detached: true,
  });
  child.on('error', () => {
    // `exitCode` stays null for a command that cannot start: the readiness deadline reports it, with the log.
  });
  return child;
}

const killTimeoutMs = 10_000;

async function endProcesses(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signalProcess(pid, 'SIGKILL');
  const deadline = Date.now() + killTimeoutMs;
  while (pids.some(isAlive)) {
    if (Date.now() > deadline)
      throw new Error(`expected ${pids.join(', ')} to end within ${killTimeoutMs} ms of SIGKILL`);
    await sleep(10);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
