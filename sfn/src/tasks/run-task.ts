import type { TaskOptions } from '../task-options.ts';
import type { TaskServices } from '../task-services.ts';
import { calculateTask } from './calculate-task.ts';
import { cleanUpTask } from './clean-up-task.ts';
import { planTask } from './plan-task.ts';
import { publishTask } from './publish-task.ts';
import { verifyTask } from './verify-task.ts';

/** The tasks of the state machine. */
export const taskNames = ['plan', 'calculate', 'verify', 'publish', 'clean-up'] as const;
export type TaskName = (typeof taskNames)[number];

/** JSON in, JSON out. */
type Task = (input: unknown, services: TaskServices, options: TaskOptions, stop: AbortSignal) => Promise<unknown>;

const tasks: Readonly<Record<TaskName, Task>> = {
  plan: planTask,
  calculate: calculateTask,
  verify: verifyTask,
  publish: publishTask,
  'clean-up': cleanUpTask,
};

/** Run one task by name; its answer is a JSON value. Every task may be run again. */
export async function runTask(
  name: TaskName,
  input: unknown,
  services: TaskServices,
  options: TaskOptions,
  stop: AbortSignal,
): Promise<unknown> {
  return (await tasks[name](input, services, options, stop)) ?? {};
}
