import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Finished, finished, root, userEnvironment } from '../product.ts';

export { root, userEnvironment };

/** The processes of the service that stay. */
export type ServiceRole = 'main' | 'api' | 'worker' | 'workflow';

/** The file a pod runs; `tree` is where the service is, by default the tree under test. */
export function entryPoint(role: ServiceRole | 'migrate', tree = root): string {
  return join(tree, 'service', 'dist', 'start', `${role}.js`);
}

/** How a process is started: by default as the user of the tests, from the tree under test. */
export interface ProcessPlace {
  /** Modules loaded before it. */
  readonly imports?: readonly string[];
  /** Folder that holds the service. */
  readonly tree?: string;
  /** The Node that runs it. */
  readonly node?: string;
  /** User and group it runs as. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** One process of the service, started as a pod starts it. */
export class ServiceProcess {
  /** Of the API, of the worker's probes, or of the Step Functions server. */
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<Finished>;
  readonly #lines: string[];

  private constructor(child: ChildProcess, ended: Promise<Finished>, url: string, lines: string[]) {
    this.#child = child;
    this.#ended = ended;
    this.url = url;
    this.#lines = lines;
  }

  /** Resolves when it has said where it is. */
  static async start(
    role: ServiceRole,
    env: NodeJS.ProcessEnv,
    { imports = [], tree = root, node = process.execPath, user }: ProcessPlace = {},
  ): Promise<ServiceProcess> {
    const args = [...imports.flatMap((path) => ['--import', path]), entryPoint(role, tree)];
    const child = spawn(node, args, { cwd: tree, env, stdio: ['ignore', 'pipe', 'pipe'], ...user });
    const ended = finished(child, 600_000);
    ended.catch(() => undefined);
    const lines: string[] = [];
    const url = await new Promise<string>((settle, reject) => {
      let rest = '';
      const read = (chunk: Buffer): void => {
        const parts = (rest + chunk.toString()).split('\n');
        rest = parts.pop() ?? '';
        for (const line of parts) {
          lines.push(line);
          const match = /Factorial (?:API|service|worker|workflow) .*?at (http:\S+)/.exec(line);
          if (match?.[1] !== undefined) settle(match[1]);
        }
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      void ended.then(({ code, stderr }) => reject(new Error(`${role} ended with ${code}: ${stderr}`)), reject);
    });
    return new ServiceProcess(child, ended, url, lines);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it wrote, line by line, on both streams. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
  }

  /** kill −9; resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#ended;
  }

  /** SIGTERM, and its exit code. */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return (await this.#ended).code;
  }

  /** Wait for a line that matches. */
  async said(pattern: RegExp, limitMs = 120_000): Promise<string> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const line = this.#lines.find((text) => pattern.test(text));
      if (line !== undefined) return line;
      if (Date.now() > deadline) {
        throw new Error(
          `expected a line like ${pattern} within ${limitMs} ms, got:\n${this.#lines.slice(-20).join('\n')}`,
        );
      }
      await new Promise((next) => setTimeout(next, 20));
    }
  }

  /** Status of `/readyz` and, by name, which checks are fine. */
  async readiness(): Promise<{
    readonly code: number;
    readonly status: string;
    readonly checks: Record<string, boolean>;
  }> {
    const answer = await fetch(`${this.url}/readyz`);
    const body = (await answer.json()) as { status: string; checks: { name: string; ok: boolean }[] };
    const checks = Object.fromEntries(body.checks.map(({ name, ok }) => [name, ok]));
    return { code: answer.status, status: body.status, checks };
  }
}
