import { join } from 'node:path';
import { BucketAlreadyOwnedByYou, CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startMariadb } from './mariadb.ts';
import { startPostgres } from './postgres.ts';
import { startRabbitmq } from './rabbitmq.ts';
import { startRedis } from './redis.ts';
import type { RunningServer } from './server.ts';
import { type RunningSwift, startSwift } from './swift.ts';

export interface LocalServices {
  readonly servers: readonly RunningServer[];
  /** What makes the service use them, by variable name. */
  readonly environment: Readonly<Record<string, string>>;
  /** MySQL in place of PostgreSQL. */
  readonly mysqlUrl: string;
  /** Stop all of them. Rejects after all were tried, when one could not be stopped. */
  dispose(): Promise<void>;
}

const bucket = 'factorial';

/** Start all backing services side by side. When one does not start, stop the others and say why. `directory` keeps their data. */
export async function startServices(directory?: string): Promise<LocalServices> {
  const place = (name: string) => (directory === undefined ? {} : { directory: join(directory, name) });
  const starting = [
    startPostgres(place('postgres')),
    startMariadb(place('mariadb')),
    startRedis(place('redis')),
    startRabbitmq(place('rabbitmq')),
    startSwift(place('swift')).then(withBucket),
  ] as const;
  const outcomes = await Promise.allSettled(starting);
  const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const faults = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  const dispose = () => disposeAll(servers);
  if (faults.length > 0) {
    await dispose();
    throw new AggregateError(faults, faults.map((fault) => (fault as Error).message).join('\n'));
  }
  const [postgres, mariadb, redis, rabbitmq, swift] = await Promise.all(starting);
  return {
    servers,
    mysqlUrl: mariadb.url,
    dispose,
    environment: {
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      AMQP_URL: rabbitmq.url,
      S3_ENDPOINT: swift.url,
      S3_BUCKET: bucket,
      S3_REGION: swift.region,
      S3_FORCE_PATH_STYLE: 'true',
      AWS_ACCESS_KEY_ID: swift.accessKeyId,
      AWS_SECRET_ACCESS_KEY: swift.secretAccessKey,
    },
  };
}

async function withBucket(swift: RunningSwift): Promise<RunningSwift> {
  const { url: endpoint, region, accessKeyId, secretAccessKey } = swift;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (fault) {
    // Kept from an earlier run.
    if (!(fault instanceof BucketAlreadyOwnedByYou)) {
      await swift.dispose();
      throw fault;
    }
  } finally {
    client.destroy();
  }
  return swift;
}

async function disposeAll(servers: readonly RunningServer[]): Promise<void> {
  const outcomes = await Promise.allSettled(servers.map((server) => server.dispose()));
  const faults = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (faults.length > 0) throw new AggregateError(faults, 'expected every server to stop, got some that did not');
}
