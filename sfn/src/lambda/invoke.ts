// Runs one function in a process of its own: `node invoke.js <task>`, event in JSON on stdin, answer in JSON on stdout:
// {"result": …} or {"error": {"name", "message"}}. The exit code is 0 either way; any other end is a function that died.
import { text } from 'node:stream/consumers';
import { taskNameOf } from '../fargate/run-task-request.ts';
import { lambdaTimeoutSeconds } from '../plan/aws-task-sizes.ts';
import { localSizes } from '../process-services.ts';
import { stopSignal } from '../stop-signal.ts';
import { functionHandler } from './function-handler.ts';

async function invoke(stop: AbortSignal): Promise<object> {
  const startedMs = performance.now();
  try {
    await using handler = functionHandler(taskNameOf(process.argv[2]), localSizes);
    const getRemainingTimeInMillis = (): number => lambdaTimeoutSeconds * 1000 - (performance.now() - startedMs);
    const event = JSON.parse(await text(process.stdin)) as unknown;
    return { result: await handler(event, { getRemainingTimeInMillis, stop }) };
  } catch (error) {
    if (!(error instanceof Error)) return { error: { name: 'Error', message: String(error) } };
    return { error: { name: error.name, message: error.message } };
  }
}

const answer = await invoke(stopSignal());
process.stdout.write(`${JSON.stringify(answer)}\n`);
