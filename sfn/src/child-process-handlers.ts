import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type TaskContext, TransientError } from '@factorial/backing';
import { ContainerFailedError, parseRunTaskRequest } from './fargate/run-task-request.ts';
import { handlersByResource, type TaskHandlers } from './state-machine.ts';

export interface ChildProcessOptions {
  /** Environment of every task: where its services are. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder that the containers' command lines are relative to. Default: the root of this project. */
  readonly rootDirectory?: string;
  /** How long a task that is told to stop may take before it is killed. Default 5,000. */
  readonly stopGraceMs?: number;
  /** Most bytes of answer and of messages kept of a task. Default 262,144. */
  readonly outputMaxBytes?: number;
  /** Told of every task that begins. */
  readonly onStart?: (task: StartedTask) => void;
  /** Told of every task that ends. */
  readonly onEnd?: (task: EndedTask) => void;
}

export interface StartedTask {
  readonly pid: number;
  readonly command: readonly string[];
  readonly kind: 'function' | 'container';
  /** The execution it works for. */
  readonly execution: string;
}

export interface EndedTask extends StartedTask {
  /** Null when it died of a signal. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote on stderr. */
  readonly messages: string;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const invokeScript = fileURLToPath(new URL('../dist/lambda/invoke.js', import.meta.url));

/** Characters of a task's messages that are told with its end. */
const messagesShown = 500;

interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Answer of `lambda/invoke.ts`. */
interface FunctionAnswer {
  readonly result?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
}

/** The tasks of the state machine, each in a process of its own, as functions and containers run on AWS. */
export function childProcessTaskHandlers(options: ChildProcessOptions): TaskHandlers {
  return handlersByResource(
    (name) => async (input, context) => {
      const end = await run([invokeScript, name], JSON.stringify(input), {}, options, context);
      return answerOf(end);
    },
    async (request, context) => {
      const { command, environment, containerName } = parseRunTaskRequest(request);
      const [program, ...args] = command;
      if (program !== 'node') throw new TransientError(`expected a container that runs node, got ${program}`);
      const end = await run(args, '', environment, options, context);
      if (end.code === 0) return {};
      const reason = end.signal === null ? 'Essential container in task exited' : `Task stopped by ${end.signal}`;
      throw new ContainerFailedError(containerName, end.code ?? undefined, reason);
    },
  );
}

function answerOf({ code, signal, stdout, stderr }: ProcessEnd): unknown {
  if (code !== 0) {
    const error = new Error(
      `the function ended with ${signal ?? `exit code ${code}`}: ${stderr.slice(-messagesShown)}`,
    );
    error.name = 'Lambda.Unknown';
    throw error;
  }
  const { result, error } = JSON.parse(stdout) as FunctionAnswer;
  if (error === undefined) return result;
  const thrown = new Error(error.message);
  thrown.name = error.name;
  throw thrown;
}

function run(
  args: readonly string[],
  stdin: string,
  environment: Readonly<Record<string, string>>,
  options: ChildProcessOptions,
  { signal: stop, executionName: execution }: TaskContext,
): Promise<ProcessEnd> {
  const { rootDirectory = root, stopGraceMs = 5_000, outputMaxBytes = 262_144 } = options;
  return new Promise((resolve, reject) => {
    stop.throwIfAborted();
    const env = { ...options.environment, ...environment };
    // Over the channel the child learns that this process is gone.
    const child = spawn(process.execPath, args, { cwd: rootDirectory, env, stdio: ['pipe', 'pipe', 'pipe', 'ipc'] });
    const { stdin: input, stdout: output, stderr: messages } = child;
    if (input === null || output === null || messages === null) throw new Error('expected pipes to the task, got none');
    let killer: NodeJS.Timeout | undefined;
    const end = (): void => {
      child.kill('SIGTERM');
      killer = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
    };
    stop.addEventListener('abort', end, { once: true });
    const stdout = collect(output, outputMaxBytes);
    const stderr = collect(messages, outputMaxBytes);
    const kind = args[0] === invokeScript ? 'function' : 'container';
    const task = (): StartedTask => ({ pid: child.pid ?? 0, command: args, kind, execution });
    child.once('spawn', () => options.onStart?.(task()));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      stop.removeEventListener('abort', end);
      clearTimeout(killer);
      options.onEnd?.({ ...task(), code, signal, messages: stderr().slice(-messagesShown) });
      resolve({ code, signal, stdout: stdout(), stderr: stderr() });
    });
    // A child that died before it read its input is known by its exit.
    input.on('error', () => input.destroy());
    input.end(stdin);
  });
}

/** Keeps the last bytes of a stream as text. */
function collect(stream: NodeJS.ReadableStream, maxBytes: number): () => string {
  let kept = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-maxBytes);
  });
  return () => kept.toString('utf8');
}
