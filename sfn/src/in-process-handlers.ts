import type { TaskContext } from '@factorial/backing';
import { exitCodeOf } from './fargate/exit-code.ts';
import { ContainerFailedError, parseRunTaskRequest, taskInputOf, taskNameOf } from './fargate/run-task-request.ts';
import { handlersByResource, type TaskHandlers } from './state-machine.ts';
import type { TaskOptions } from './task-options.ts';
import type { TaskServices } from './task-services.ts';
import { parsePublishInput } from './tasks/payload.ts';
import { runTask, type TaskName } from './tasks/run-task.ts';

/**
 * The tasks of the state machine, run in this process on its services. A container state runs the task its command names
 * and fails as a container does, with an exit code. When the execution is stopped its claim is given back, so that the row
 * need not wait for the lease to run out.
 */
export function inProcessTaskHandlers(services: TaskServices, options: TaskOptions): TaskHandlers {
  const call = async (name: TaskName, input: unknown, { signal }: TaskContext): Promise<unknown> => {
    try {
      return await runTask(name, input, services, options, signal);
    } catch (error) {
      if (signal.aborted && (name === 'calculate' || name === 'verify')) {
        await services.metadata.release(parsePublishInput(input).claim);
      }
      throw error;
    }
  };
  return handlersByResource(
    (name) => (input, context) => call(name, input, context),
    async (request, context) => {
      const { command, environment, containerName } = parseRunTaskRequest(request);
      const input = taskInputOf(environment);
      try {
        return await call(taskNameOf(command.at(-1)), input, context);
      } catch (error) {
        const exitCode = await exitCodeOf(error, input, services, context.signal);
        throw new ContainerFailedError(containerName, exitCode, 'Essential container in task exited');
      }
    },
  );
}
