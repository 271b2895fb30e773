import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type CalculationEvent,
  createFilesystemObjectStore,
  createS3ObjectStore,
  createSqliteMetadataStore,
  type MetadataStore,
  type ObjectStore,
  openMetadataStore,
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

/** The embedded stores below `DATA_DIR`, which one process holds at a time: what local tasks use when no server is named. */
export const embeddedOpeners: ServiceOpeners = Object.freeze({
  metadata: async (settings: Settings): Promise<MetadataStore> => {
    const directory = resolve(settings.DATA_DIR);
    await mkdir(directory, { recursive: true });
    const metadata = createSqliteMetadataStore({ directory });
    await metadata.migrate();
    return metadata;
  },
  objects: async (settings: Settings): Promise<ObjectStore> =>
    createFilesystemObjectStore({
      directory: resolve(settings.DATA_DIR),
      maxBytes: BigInt(settings.OBJECTS_MAX_BYTES),
    }),
});

/** Variables that name the servers of a task. */
export interface ServerVariables {
  readonly DATABASE_URL?: string | undefined;
  readonly S3_BUCKET?: string | undefined;
  readonly S3_ENDPOINT?: string | undefined;
}

/** The servers that are named, and the embedded store in place of each that is not. Tasks never migrate a server's schema. */
export function serviceOpeners({
  DATABASE_URL: url,
  S3_BUCKET: bucket,
  S3_ENDPOINT: endpoint,
}: ServerVariables): ServiceOpeners {
  return Object.freeze({
    metadata: url ? async () => openMetadataStore({ url, poolMax: 2 }) : embeddedOpeners.metadata,
    objects: bucket
      ? async () => createS3ObjectStore({ bucket, ...(endpoint ? { endpoint, forcePathStyle: true } : {}) })
      : embeddedOpeners.objects,
  });
}

/** Services that are closed together. */
export interface OpenTaskServices extends TaskServices, AsyncDisposable {}

/** Open both services; when the second cannot be opened the first is closed again. */
export async function openTaskServices(settings: Settings, openers: ServiceOpeners): Promise<OpenTaskServices> {
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
