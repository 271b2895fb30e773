import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  createFilesystemObjectStore,
  createLocalWorkflowEngine,
  createMemoryCalculationQueue,
  createMemoryDigitCache,
  createSqliteMetadataStore,
  type Settings,
} from '@factorial/backing';
import { loadStateMachine, type TaskHandlers } from '@factorial/sfn';
import type { WorkerServices } from '@factorial/worker';

/** The backing services that need no server: all state under `DATA_DIR`, which this process holds alone. */
export async function openEmbeddedServices(
  settings: Settings,
  handlers: (services: Omit<WorkerServices, 'workflow'>) => TaskHandlers,
): Promise<WorkerServices> {
  const directory = resolve(settings.DATA_DIR);
  await mkdir(directory, { recursive: true });
  const metadata = createSqliteMetadataStore({ directory });
  await metadata.migrate();
  // No other process can hold a lease in this directory: those found are of a process that died.
  await metadata.releaseAllLeases();
  const objects = createFilesystemObjectStore({
    directory: directory,
    maxBytes: BigInt(settings.OBJECTS_MAX_BYTES),
  });
  // Nor can another process be writing here.
  await objects.sweepUnfinished(0);
  const cache = createMemoryDigitCache({
    maxBytes: settings.CACHE_MAX_BYTES,
    maxValueBytes: settings.CACHE_MAX_VALUE_BYTES,
  });
  const queue = createMemoryCalculationQueue({
    maxLength: settings.QUEUE_MAX_MESSAGES,
    maxDeliveries: settings.DELIVERIES_MAX,
    maxDeadLetters: settings.DEAD_LETTERS_MAX,
  });
  const services = { metadata, cache, objects, queue };
  const workflow = createLocalWorkflowEngine({
    definition: await loadStateMachine(),
    handlers: handlers(services),
    maxConcurrent: settings.LARGE_CONCURRENCY,
  });
  return { ...services, workflow };
}
