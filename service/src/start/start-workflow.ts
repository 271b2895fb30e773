import { type Settings, SettingsError } from '@factorial/backing';
import { defaultBudget, minMemoryBytes } from '@factorial/compute';
import {
  childProcessTaskHandlers,
  type EndedTask,
  loadStateMachine,
  type StartedTask,
  startStepFunctionsEndpoint,
} from '@factorial/sfn';
import type { Logger } from 'pino';
import { prepareScratchFolder } from './scratch-folder.ts';
import type { RunningService } from './service.ts';

/**
 * The state machine of large n behind the JSON protocol of Step Functions, each of its tasks a process of its own: what AWS is to
 * API and worker, on this machine. They find it by `SFN_ENDPOINT` and `STATE_MACHINE_ARN`. Executions end with this process; the
 * workers' sweep starts them again. `environment` is what the settings were read from: the tasks read it, too.
 */
export async function startWorkflow(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  log: Logger,
): Promise<RunningService> {
  await prepareScratchFolder(settings);
  const endpoint = await startStepFunctionsEndpoint({
    definition: await loadStateMachine(),
    handlers: childProcessTaskHandlers({
      environment: { ...environment, ...sharesOf(settings) },
      onStart: (task) => log.info(fieldsOf(task), 'task started'),
      onEnd: (task) => reportEnd(task, log),
    }),
    host: settings.HOST,
    port: settings.WORKFLOW_PORT,
    maxConcurrent: settings.LARGE_CONCURRENCY,
    ...(settings.STATE_MACHINE_ARN === undefined ? {} : { stateMachineArn: settings.STATE_MACHINE_ARN }),
    onEnd: ({ name, status, error }) => log.info({ execution: name, status, error }, 'execution ended'),
  });
  const { stateMachineArn } = endpoint;
  log.info({ STATE_MACHINE_ARN: stateMachineArn, SFN_ENDPOINT: endpoint.url }, 'settings of API and worker for this');
  return {
    url: endpoint.url,
    async stop() {
      await endpoint.close();
      log.info({}, 'stopped');
    },
  };
}

/** What one execution may use, so that all that run at once fit. */
function sharesOf(settings: Settings): Readonly<Record<string, string>> {
  const { LARGE_CONCURRENCY: executions, COMPUTE_SCRATCH_BYTES: scratchBytes } = settings;
  const total = settings.COMPUTE_MEMORY_BYTES ?? defaultBudget().memoryBytes;
  const memoryBytes = Math.floor(total / executions);
  if (memoryBytes < minMemoryBytes) {
    throw new SettingsError([
      `COMPUTE_MEMORY_BYTES: expected at least ${executions * minMemoryBytes} for ${executions} executions at once, got ${total}; ` +
        'give more, or lower LARGE_CONCURRENCY',
    ]);
  }
  return {
    COMPUTE_MEMORY_BYTES: String(memoryBytes),
    COMPUTE_SCRATCH_BYTES: String(Math.floor(scratchBytes / executions)),
  };
}

function fieldsOf({ pid, command, kind, execution }: StartedTask): object {
  return { execution, task: command.at(-1), kind, pid };
}

function reportEnd(task: EndedTask, log: Logger): void {
  const { code, signal, messages } = task;
  if (code === 0) log.info(fieldsOf(task), 'task ended');
  else log.warn({ ...fieldsOf(task), code, signal, messages }, 'task ended badly');
}
