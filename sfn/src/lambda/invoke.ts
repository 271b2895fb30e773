// Runs one function in a process of its own: `node invoke.js <task>`, event in JSON on stdin, answer in JSON on stdout:
// {"result": …} or {"error": {"name", "message"}}. The exit code is 0 either way; any other end is a function that died.
import { text } from 'node:stream/consumers';
import { taskNameOf } from '../fargate/run-task-request.ts';
import { lambdaTimeoutSeconds } from '../plan/aws-task-sizes.ts';
import { localTaskSizes } from '../plan/local-task-sizes.ts';
import { localBudget } from '../process-services.ts';
import { functionHandler } from './function-handler.ts';

async function invoke(): Promise<object> {
  const startedMs = performance.now();
  try {
    await using handler = functionHandler(taskNameOf(process.argv[2]), (settings) =>
      localTaskSizes(localBudget(settings)),
    );
    const getRemainingTimeInMillis = (): number => lambdaTimeoutSeconds * 1000 - (performance.now() - startedMs);
    return { result: await handler(JSON.parse(await text(process.stdin)), { getRemainingTimeInMillis }) };
  } catch (error) {
    if (!(error instanceof Error)) return { error: { name: 'Error', message: String(error) } };
    return { error: { name: error.name, message: error.message } };
  }
}

process.stdout.write(`${JSON.stringify(await invoke())}\n`);
