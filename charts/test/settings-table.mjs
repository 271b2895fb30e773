import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from './paths.mjs';

/**
 * Settings the chart sets or takes that belong to parts built beside it: connections of the backing services, the worker's scratch
 * and its probes. An entry of the service's own table replaces the one here.
 */
const connectionSettings = {
  DATABASE_URL: { description: 'Database of the metadata; empty = embedded SQLite.', expected: 'a URL', secret: true },
  DATABASE_POOL_MAX: {
    description: 'Connections to the database per process.',
    expected: 'an integer from 1 to 1000',
  },
  DATABASE_STATEMENT_TIMEOUT_SECONDS: {
    description: 'Bound on one statement.',
    expected: 'a number of seconds from 0.1 to 3600',
  },
  REDIS_URL: { description: 'Cache; empty = in process.', expected: 'a URL', secret: true },
  AMQP_URL: { description: 'Broker; empty = in process.', expected: 'a URL', secret: true },
  S3_BUCKET: { description: 'Bucket of the results; empty = files under DATA_DIR.', expected: 'a bucket name' },
  S3_REGION: { description: 'Region of the bucket.', expected: 'a region' },
  S3_ENDPOINT: { description: 'S3 server other than AWS.', expected: 'a URL' },
  S3_FORCE_PATH_STYLE: { description: 'Bucket in the path, not in the host name.', expected: 'true or false' },
  S3_PREFIX: { description: 'Prefix of every key.', expected: 'a key prefix' },
  S3_SERVER_SIDE_ENCRYPTION: { description: 'Encryption asked for on every write.', expected: 'AES256 or aws:kms' },
  STATE_MACHINE_ARN: { description: 'State machine of large n; empty = local.', expected: 'an ARN' },
  SFN_ENDPOINT: { description: 'Step Functions server other than AWS.', expected: 'a URL' },
  SCRATCH_DIR: { description: 'Folder of scratch files.', expected: 'a path' },
  COMPUTE_SCRATCH_BYTES: {
    description: 'Scratch for all calculations together.',
    expected: 'a size from 0B to 1PiB, such as 512MiB',
  },
  UPLOAD_PARTS_IN_FLIGHT: { description: 'Parts of one upload in flight.', expected: 'an integer from 1 to 64' },
  WORKER_HEALTH_PORT: {
    description: "Port of the worker's /healthz and /readyz.",
    expected: 'an integer from 0 to 65535',
  },
};

/** A module of the built project by its path. Throws when the project is not built. */
export async function builtModule(path) {
  const absolute = join(projectRoot, path);
  if (!existsSync(absolute)) throw new Error(`expected the project to be built (npm run build), got no ${absolute}`);
  return import(pathToFileURL(absolute).href);
}

/** The service's own settings: `settingDefinitions`, `readSettings`. */
export const settingsModule = () => builtModule('backing/dist/contracts/settings.js');

/** Every setting by name: description, expected, secret. */
export async function settingsTable() {
  const { settingDefinitions } = await settingsModule();
  return { ...connectionSettings, ...settingDefinitions };
}
