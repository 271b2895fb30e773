import { createApi } from '@factorial/api';
import type { Settings } from '@factorial/backing';
import { Worker } from '@factorial/worker';
import type { Logger } from 'pino';
import { openEmbeddedServices } from './embedded-services.ts';
import { largeHandlers } from './large-handlers.ts';
import { apiOptions, workerOptions } from './options.ts';

/** A running service: its address, and how to end it. */
export interface RunningService {
  /** Base URL, such as http://127.0.0.1:3000. */
  readonly url: string;
  /**
   * Drain in phases: answer the requests under way and accept no more; take no new calculations, give the running ones
   * `DRAIN_SECONDS` and put back what is left; close the stores. Called once.
   */
  stop(): Promise<void>;
}

/** Start API and worker in this process on the embedded backing services. */
export async function startService(settings: Settings, log: Logger): Promise<RunningService> {
  const options = workerOptions(settings);
  const services = await openEmbeddedServices(settings, (stores) => largeHandlers(stores, options));
  const { metadata, cache, objects, queue, workflow } = services;
  const api = await createApi({ metadata, cache, objects, queue, logger: log }, apiOptions(settings));
  const worker = new Worker(services, options, log);
  const closeStores = async (): Promise<void> => {
    await workflow.close();
    await cache.close();
    await objects.close();
    await metadata.close();
  };
  let url: string;
  try {
    url = await api.listen({ host: settings.HOST, port: settings.PORT });
  } catch (error) {
    await api.close();
    await queue.close(0);
    await closeStores();
    throw error;
  }
  await worker.start();
  return {
    url,
    async stop() {
      log.info({}, 'stopping: no more requests');
      await api.close();
      log.info({ seconds: settings.DRAIN_SECONDS }, 'stopping: waiting for calculations');
      await worker.stop(settings.DRAIN_SECONDS * 1000);
      await closeStores();
      log.info({}, 'stopped');
    },
  };
}
