import type { Settings } from '@factorial/backing';
import type { TaskSize } from '../plan/task-size.ts';
import { openProcessServices, type ProcessServices } from '../process-services.ts';
import { runTask, type TaskName } from '../tasks/run-task.ts';

/** The part of a function's context that is used. */
export interface FunctionContext {
  getRemainingTimeInMillis(): number;
  /** Aborts when the process is told to stop; a function of Lambda is not told. */
  readonly stop?: AbortSignal;
}

export type FunctionHandler = (event: unknown, context: FunctionContext) => Promise<unknown>;

/** The function ran out of time: the task stopped itself before it was killed, and left nothing half written. */
export class TaskTimeoutError extends Error {
  constructor() {
    super('the task did not end within the time limit of its function');
    this.name = 'TaskTimeoutError';
  }
}

/** Time to stop threads and abort an upload before the function is killed. */
const stopGraceMs = 20_000;

/**
 * The entry point of one function. Services are opened by the first call and kept for those that follow; when they cannot
 * be opened the next call tries again.
 */
export function functionHandler(
  name: TaskName,
  sizes: (settings: Settings) => readonly TaskSize[],
): FunctionHandler & AsyncDisposable {
  let opening: Promise<ProcessServices> | undefined;
  const open = async (): Promise<ProcessServices> => {
    opening ??= openProcessServices(sizes);
    try {
      return await opening;
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };
  const handler: FunctionHandler = async (event, context) => {
    const { services, options } = await open();
    const timeout = new AbortController();
    const leftMs = Math.max(0, context.getRemainingTimeInMillis() - stopGraceMs);
    const timer = setTimeout(() => timeout.abort(new TaskTimeoutError()), leftMs);
    try {
      const signals = context.stop === undefined ? [timeout.signal] : [timeout.signal, context.stop];
      return await runTask(name, event, services, options, AbortSignal.any(signals));
    } finally {
      clearTimeout(timer);
    }
  };
  const dispose = async (): Promise<void> => {
    await (await opening)?.[Symbol.asyncDispose]();
  };
  return Object.assign(handler, { [Symbol.asyncDispose]: dispose });
}
