import { availableParallelism } from 'node:os';
import { readSettings, type Settings } from '@factorial/backing';
import { type Budget, defaultBudget } from '@factorial/compute';
import type { TaskSize } from './plan/task-size.ts';
import { defaultHandoffLeaseMs, type TaskOptions } from './task-options.ts';
import { type OpenTaskServices, openTaskServices } from './task-services.ts';

/** What a process that runs tasks has: its services and options, from its environment. */
export interface ProcessServices extends AsyncDisposable {
  readonly services: OpenTaskServices;
  readonly options: TaskOptions;
}

/** Read this process's environment and open what it names. `SettingsError` for a wrong setting. */
export async function openProcessServices(
  sizes: (settings: Settings) => readonly TaskSize[],
): Promise<ProcessServices> {
  const settings = readSettings(process.env);
  const services = await openTaskServices(settings);
  return {
    services,
    options: taskOptions(settings, sizes(settings)),
    [Symbol.asyncDispose]: () => services[Symbol.asyncDispose](),
  };
}

/** The options of the tasks from the settings. */
export function taskOptions(settings: Settings, sizes: readonly TaskSize[]): TaskOptions {
  const ms = (seconds: number): number => Math.round(seconds * 1000);
  return Object.freeze({
    leaseMs: ms(settings.LEASE_SECONDS),
    heartbeatMs: ms(settings.HEARTBEAT_SECONDS),
    handoffLeaseMs: defaultHandoffLeaseMs,
    maxInterruptions: settings.INTERRUPTIONS_MAX,
    maxFailures: settings.FAILURES_MAX,
    verifyReadbackMaxBytes: BigInt(settings.VERIFY_READBACK_MAX_BYTES),
    sizes,
  });
}

/** What a task that runs on this machine may use. */
export function localBudget(settings: Settings): Budget {
  return defaultBudget({
    engine: settings.ENGINE,
    threads: settings.THREADS ?? Math.min(availableParallelism(), 256),
    ...(settings.COMPUTE_MEMORY_BYTES === undefined ? {} : { memoryBytes: settings.COMPUTE_MEMORY_BYTES }),
  });
}
