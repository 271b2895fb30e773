import {
  type CalculationEvent,
  type MetadataStore,
  type ObjectStore,
  openMetadata,
  openObjects,
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
}

/** The adapters the settings name. Tasks never migrate a server's schema. */
export const serviceOpeners: ServiceOpeners = Object.freeze({ metadata: openMetadata, objects: openObjects });

/** Services that are closed together. */
export interface OpenTaskServices extends TaskServices, AsyncDisposable {}

/** Open both services; when the second cannot be opened the first is closed again. */
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
  return {
    metadata,
    objects,
    [Symbol.asyncDispose]: async () => {
      await objects.close();
      await metadata.close();
    },
  };
}
