import { createApi } from '@factorial/api';
import {
  backingChecks,
  createLocalWorkflowEngine,
  createStepFunctionsWorkflowEngine,
  Readiness,
  type Settings,
  type WorkflowEngine,
} from '@factorial/backing';
import {
  type MetricsRegistry,
  measureProcess,
  measureServicesUp,
  newMetricsRegistry,
} from '@factorial/backing/metrics';
import { loadStateMachine } from '@factorial/sfn';
import {
  CalculationMetrics,
  startHealthServer,
  Worker,
  type WorkerOptions,
  type WorkerServices,
} from '@factorial/worker';
import type { Logger } from 'pino';
import { computeBudgets } from './lane-budgets.ts';
import { largeHandlers } from './large-handlers.ts';
import { type OpenServices, openServices } from './open-services.ts';
import { apiOptions, workerOptions } from './options.ts';
import { checkpointFolders, prepareScratchFolder } from './scratch-folder.ts';

/** A running process of the service: its address where it has one, and how to end it. */
export interface RunningService {
  /** Base URL, such as http://127.0.0.1:3000: of the API, or of the worker's probes. */
  readonly url: string | undefined;
  /**
   * Drain in phases: answer the requests under way and accept no more; take no new calculations, give the running ones
   * `DRAIN_SECONDS` and put back what is left; close the stores. Called once.
   */
  stop(): Promise<void>;
}

/** One part of a process: it runs from the time it is made, and ends once. */
interface Part {
  readonly url: string | undefined;
  stop(): Promise<void>;
}

/** API and worker in this process. A shared database is migrated first, as an embedded one always is. */
export async function startService(settings: Settings, log: Logger): Promise<RunningService> {
  return await startParts(settings, log, [startHttp, startCalculating], async ({ metadata }) => {
    if (settings.DATABASE_URL !== undefined) await metadata.migrate();
  });
}

/** The HTTP side alone. Starts while its services are away; `/readyz` says so until they answer. */
export async function startApi(settings: Settings, log: Logger): Promise<RunningService> {
  return await startParts(settings, log, [startHttp]);
}

/** A worker alone, with a port for its probes when `WORKER_HEALTH_PORT` is set. Starts while its services are away. */
export async function startWorker(settings: Settings, log: Logger): Promise<RunningService> {
  return await startParts(settings, log, [startProbedCalculating]);
}

/** What the parts of one process share. */
interface SharedServices extends OpenServices {
  readonly metrics: MetricsRegistry;
}

type StartPart = (services: SharedServices, settings: Settings, log: Logger) => Promise<Part>;

/** Start the parts in order on shared services; stop them in the same order, then close the services. */
async function startParts(
  settings: Settings,
  log: Logger,
  starts: readonly StartPart[],
  prepare: (services: OpenServices) => Promise<void> = async () => undefined,
): Promise<RunningService> {
  const services = { ...(await openServices(settings, log)), metrics: newMetricsRegistry() };
  measureProcess(services.metrics);
  const parts: Part[] = [];
  const stop = async (): Promise<void> => {
    try {
      for (const part of parts) await part.stop();
    } finally {
      await services.close();
    }
  };
  try {
    await prepare(services);
    for (const start of starts) parts.push(await start(services, settings, log));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: parts.find((part) => part.url !== undefined)?.url,
    async stop() {
      await stop();
      log.info({}, 'stopped');
    },
  };
}

async function startHttp(services: SharedServices, settings: Settings, log: Logger): Promise<Part> {
  const { metadata, cache, objects, queue, metrics } = services;
  const workflow = openStateMachine(settings);
  const api = await createApi(
    { metadata, cache, objects, queue, workflow, metrics, logger: log },
    apiOptions(settings),
  );
  let url: string;
  try {
    url = await api.listen({ host: settings.HOST, port: settings.PORT });
  } catch (error) {
    await api.close();
    throw error;
  }
  return {
    url,
    async stop() {
      log.info({ seconds: settings.DRAIN_SECONDS }, 'stopping: no more requests');
      const cut = setTimeout(() => api.server.closeAllConnections(), settings.DRAIN_SECONDS * 1000);
      await api.close();
      await workflow?.close();
      clearTimeout(cut);
    },
  };
}

async function startCalculating(services: SharedServices, settings: Settings, log: Logger): Promise<Part> {
  await prepareScratchFolder(settings);
  const options = workerOptions(settings);
  const sharedBudget = computeBudgets(settings).newSharedBudget();
  const { metadata, objects, cache, queue } = services;
  const stores = { metadata, objects, cache, queue };
  const calculating = { ...stores, sharedBudget, checkpoints: checkpointFolders(settings, sharedBudget) };
  const workflow = await openWorkflow(calculating, options, settings, log);
  const metrics = new CalculationMetrics(services.metrics, sharedBudget);
  const worker = new Worker({ ...calculating, workflow, metrics }, options, log);
  await worker.start();
  return {
    url: undefined,
    async stop() {
      log.info({ seconds: settings.DRAIN_SECONDS }, 'stopping: waiting for calculations');
      await worker.stop(settings.DRAIN_SECONDS * 1000);
      await workflow.close();
    },
  };
}

/** The state machine the settings name; undefined when they name none. It is called at the first use. */
function openStateMachine({
  STATE_MACHINE_ARN: stateMachineArn,
  SFN_ENDPOINT: endpoint,
}: Settings): WorkflowEngine | undefined {
  if (stateMachineArn === undefined) return undefined;
  return createStepFunctionsWorkflowEngine({ stateMachineArn, ...(endpoint === undefined ? {} : { endpoint }) });
}

/** The engine of large n: the state machine the settings name, or the same definition run in this process. */
async function openWorkflow(
  services: Omit<WorkerServices, 'workflow'>,
  options: WorkerOptions,
  settings: Settings,
  log: Logger,
): Promise<WorkflowEngine> {
  const named = openStateMachine(settings);
  if (named !== undefined) return named;
  return createLocalWorkflowEngine({
    definition: await loadStateMachine(),
    handlers: largeHandlers(services, options, log),
    maxConcurrent: settings.LARGE_CONCURRENCY,
  });
}

/** Answers probes from before the first calculation until after the last one; unready as soon as it is told to stop. */
async function startProbedCalculating(services: SharedServices, settings: Settings, log: Logger): Promise<Part> {
  if (settings.WORKER_HEALTH_PORT === undefined) return await startCalculating(services, settings, log);
  const readiness = new Readiness(backingChecks(services), settings.READINESS_TIMEOUT_SECONDS * 1000);
  const { metrics } = services;
  measureServicesUp(metrics, readiness);
  const probes = await startHealthServer(readiness, {
    host: settings.HOST,
    port: settings.WORKER_HEALTH_PORT,
    metrics,
  });
  let calculating: Part;
  try {
    calculating = await startCalculating(services, settings, log);
  } catch (error) {
    await probes.close();
    throw error;
  }
  return {
    url: probes.url,
    async stop() {
      probes.drain();
      await calculating.stop();
      await probes.close();
    },
  };
}
