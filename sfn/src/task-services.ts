import {
  type CalculationEvent,
  type CalculationQueue,
  type MetadataStore,
  type ObjectStore,
  openMetadata,
  openObjects,
  openQueue,
  type Settings,
} from '@factorial/backing';

/** The backing services a task stands on. */
export interface TaskServices {
  readonly metadata: MetadataStore;
  readonly objects: ObjectStore;
  /** Tells other systems what became of a request; absent where there is no broker. */
  readonly announce?: (event: CalculationEvent) => Promise<void>;
}

/** How a process opens its services from the settings. */
export interface ServiceOpeners {
  metadata(settings: Settings): Promise<MetadataStore>;
  objects(settings: Settings): Promise<ObjectStore>;
  /** Called at the first announcement. */
  queue(settings: Settings): CalculationQueue;
}

const stderrLog = Object.freeze({
  warn: (details: object, message: string) => void process.stderr.write(`${message}: ${JSON.stringify(details)}\n`),
});

/** The adapters the settings name. Tasks never migrate a server's schema. */
export const serviceOpeners: ServiceOpeners = Object.freeze({
  metadata: openMetadata,
  objects: openObjects,
  queue: (settings: Settings) => openQueue(settings, stderrLog),
});

/** Services that are closed together. */
export interface OpenTaskServices extends TaskServices, AsyncDisposable {}

/**
 * Open metadata and objects; when the second cannot be opened the first is closed again. With `AMQP_URL` set, what becomes of a
 * request is announced there; the broker is connected to when there is something to announce.
 */
export async function openTaskServices(
  settings: Settings,
  openers: ServiceOpeners = serviceOpeners,
): Promise<OpenTaskServices> {
  const metadata = await openers.metadata(settings);
  let objects: ObjectStore;
  try {
    objects = await openers.objects(settings);
  } catch (error) {
    await metadata.close();
    throw error;
  }
  let queue: CalculationQueue | undefined;
  const announce = async (event: CalculationEvent): Promise<void> => {
    queue ??= openers.queue(settings);
    await queue.announce(event);
  };
  return {
    metadata,
    objects,
    ...(settings.AMQP_URL === undefined ? {} : { announce }),
    [Symbol.asyncDispose]: async () => {
      await queue?.close(0);
      await objects.close();
      await metadata.close();
    },
  };
}
