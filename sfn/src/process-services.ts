import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { readSettings, type Settings } from '@factorial/backing';
import { type Budget, defaultBudget } from '@factorial/compute';
import { localTaskSizes } from './plan/local-task-sizes.ts';
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

/** This machine in both size classes, with what the settings let one task use. */
export function localSizes(settings: Settings): readonly TaskSize[] {
  return localTaskSizes(localBudget(settings), settings.LARGE_FUNCTION_MAX_SECONDS);
}

function localBudget(settings: Settings): Budget {
  const { COMPUTE_MEMORY_BYTES: memoryBytes, COMPUTE_SCRATCH_BYTES: scratchBytes, DATA_DIR, SCRATCH_DIR } = settings;
  return defaultBudget({
    engine: settings.ENGINE,
    threads: settings.THREADS ?? Math.min(availableParallelism(), 256),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(scratchBytes === 0 ? {} : { scratchBytes, scratchDir: resolve(SCRATCH_DIR ?? join(DATA_DIR, 'scratch')) }),
  });
}
