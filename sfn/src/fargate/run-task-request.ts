import { PoisonMessageError } from '@factorial/backing';
import { type TaskName, taskNames } from '../tasks/run-task.ts';

/** What a `runTask` request of the definition asks for. */
export interface ContainerTask {
  /** Command line of the container. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly containerName: string;
}

interface RunTaskParameters {
  readonly Overrides?: {
    readonly ContainerOverrides?: readonly {
      readonly Name?: string;
      readonly Command?: readonly string[];
      readonly Environment?: readonly { readonly Name: string; readonly Value: string }[];
    }[];
  };
}

/** The one container override of a `runTask` request, as the container service would apply it. */
export function parseRunTaskRequest(parameters: unknown): ContainerTask {
  const override = (parameters as RunTaskParameters | null)?.Overrides?.ContainerOverrides?.[0];
  if (override?.Command === undefined || override.Environment === undefined) {
    throw new PoisonMessageError('expected a runTask request with command and environment of one container');
  }
  const environment = Object.fromEntries(override.Environment.map(({ Name, Value }) => [Name, Value]));
  return { command: override.Command, environment, containerName: override.Name ?? '' };
}

/** The task that a container's arguments name. */
export function taskNameOf(argument: string | undefined): TaskName {
  const name = taskNames.find((known) => known === argument);
  if (name !== undefined) return name;
  throw new PoisonMessageError(`expected a task out of ${taskNames.join(', ')}, got ${argument ?? 'none'}`);
}

/** The task's input out of a container's environment. */
export function taskInputOf(environment: Readonly<Record<string, string | undefined>>): unknown {
  try {
    return JSON.parse(environment.TASK_INPUT ?? '') as unknown;
  } catch (cause) {
    throw new PoisonMessageError('expected TASK_INPUT to hold the input of the task as JSON', { cause });
  }
}

/** A container ended with a code other than 0: what `runTask.sync` makes of it. */
export class ContainerFailedError extends Error {
  constructor(containerName: string, exitCode: number | undefined, stoppedReason: string) {
    const container = { Name: containerName, ...(exitCode === undefined ? {} : { ExitCode: exitCode }) };
    super(JSON.stringify({ StoppedReason: stoppedReason, Containers: [container] }));
    this.name = 'States.TaskFailed';
  }
}
