import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startPostgres } from '../../backing/dev/postgres.ts';
import { startRabbitmq } from '../../backing/dev/rabbitmq.ts';
import { startRedis } from '../../backing/dev/redis.ts';
import { type RunningSwift, startSwift } from '../../backing/dev/swift.ts';

const bucket = 'load';

/** Private real servers for one run. */
export interface LoadServers extends AsyncDisposable {
  /** The settings that point a process of the service at them. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Start all of them side by side and make the bucket. Ends what it started when one cannot start. */
export async function startServers(): Promise<LoadServers> {
  await using stack = new AsyncDisposableStack();
  const starting = [startPostgres(), startRabbitmq(), startRedis(), startSwift()] as const;
  for (const server of await Promise.allSettled(starting)) {
    if (server.status === 'fulfilled') stack.defer(() => server.value.dispose());
  }
  const [postgres, rabbitmq, redis, swift] = await Promise.all(starting);
  await makeBucket(swift);
  const owned = stack.move();
  return {
    settings: {
      DATABASE_URL: postgres.url,
      AMQP_URL: rabbitmq.url,
      REDIS_URL: redis.url,
      S3_BUCKET: bucket,
      S3_ENDPOINT: swift.url,
      S3_REGION: swift.region,
      AWS_ACCESS_KEY_ID: swift.accessKeyId,
      AWS_SECRET_ACCESS_KEY: swift.secretAccessKey,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function makeBucket({ url: endpoint, region, accessKeyId, secretAccessKey }: RunningSwift): Promise<void> {
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
}
