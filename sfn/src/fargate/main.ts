// Runs one task in a container: `node sfn/dist/fargate/main.js <task>`, its input in JSON in TASK_INPUT. Exit code 0 when
// it is done; see exit-code.ts for the others.
import { localSizes, openProcessServices } from '../process-services.ts';
import { stopSignal } from '../stop-signal.ts';
import { runTask } from '../tasks/run-task.ts';
import { exitCodeOf, exitCodes } from './exit-code.ts';
import { taskInputOf, taskNameOf } from './run-task-request.ts';

async function main(stop: AbortSignal): Promise<number> {
  const name = taskNameOf(process.argv[2]);
  const input = taskInputOf(process.env);
  await using opened = await openProcessServices(localSizes);
  const { services, options } = opened;
  process.stderr.write(`${name} begins\n`);
  try {
    await runTask(name, input, services, options, stop);
    return exitCodes.done;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return await exitCodeOf(error, input, services, stop);
  }
}

try {
  process.exitCode = await main(stopSignal());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = exitCodes.retryable;
}
