import { resolve } from 'node:path';
import {
  type CalculationQueue,
  type DigitCache,
  lockDirectory,
  type MetadataStore,
  type ObjectStore,
  openCache,
  openMetadata,
  openObjects,
  openQueue,
  type Settings,
} from '@factorial/backing';
import type { Logger } from 'pino';

/** The backing services of one process, each the adapter its settings name. */
export interface OpenServices {
  readonly metadata: MetadataStore;
  readonly objects: ObjectStore;
  readonly cache: DigitCache;
  readonly queue: CalculationQueue;
  /** Close all of them, the queue first and the metadata last. */
  close(): Promise<void>;
}

/**
 * Open what the settings name: a real server where one is given, else the embedded adapter. Servers are connected to at the first use, so
 * a process starts while they are away, and `/readyz` says so. What is opened already is closed again when the rest cannot be.
 */
export async function openServices(settings: Settings, log: Logger): Promise<OpenServices> {
  await using stack = new AsyncDisposableStack();
  const metadata = stack.adopt(await openMetadata(settings), (store) => store.close());
  const objects = stack.adopt(await openObjects(settings), (store) => store.close());
  if (settings.S3_BUCKET === undefined) await holdFilesAlone(settings, objects, stack);
  // No other process can hold a lease in an embedded store: those found are of a process that died. A shared one ends none.
  await metadata.releaseAllLeases();
  const cache = stack.adopt(openCache(settings, log), (opened) => opened.close());
  const queue = stack.adopt(openQueue(settings, log), (opened) => opened.close(0));
  const opened = stack.move();
  return { metadata, objects, cache, queue, close: () => opened.disposeAsync() };
}

/** Result files have one process; the embedded metadata store holds its folder anyway. Nobody else can be writing there. */
async function holdFilesAlone(settings: Settings, objects: ObjectStore, stack: AsyncDisposableStack): Promise<void> {
  if (settings.DATABASE_URL !== undefined) stack.use(lockDirectory(resolve(settings.DATA_DIR)));
  await objects.sweepUnfinished(0);
}
