import { resolve } from 'node:path';
import type { Settings } from '../contracts/settings.ts';
import { createFilesystemObjectStore } from '../objects/filesystem-object-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { createS3ObjectStore } from '../objects/s3/s3-object-store.ts';
import { makeFolder } from './make-folder.ts';

/**
 * The object store the settings name: the bucket `S3_BUCKET`, or files in `DATA_DIR`. `OBJECTS_MAX_BYTES` bounds the files here; for a
 * bucket, which many processes fill, the sums of the rows bound it where requests are accepted.
 */
export async function openObjects(settings: Settings): Promise<ObjectStore> {
  const { S3_BUCKET: bucket, S3_ENDPOINT: endpoint, S3_SERVER_SIDE_ENCRYPTION: algorithm } = settings;
  if (bucket === undefined) {
    const directory = resolve(settings.DATA_DIR);
    makeFolder(directory);
    return createFilesystemObjectStore({ directory, maxBytes: BigInt(settings.OBJECTS_MAX_BYTES) });
  }
  const keyId = settings.S3_KMS_KEY_ID;
  return createS3ObjectStore({
    bucket,
    keyPrefix: settings.S3_PREFIX,
    forcePathStyle: settings.S3_FORCE_PATH_STYLE ?? endpoint !== undefined,
    partsInFlight: settings.UPLOAD_PARTS_IN_FLIGHT,
    ...(settings.S3_REGION === undefined ? {} : { region: settings.S3_REGION }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(algorithm === undefined ? {} : { encryption: { algorithm, ...(keyId === undefined ? {} : { keyId }) } }),
  });
}
