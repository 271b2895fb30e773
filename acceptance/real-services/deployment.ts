import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import type { FactorialRow, MetadataStore, ObjectStore } from '@factorial/backing';
import { createPostgresMetadataStore, createS3ObjectStore } from '@factorial/backing';
import { startPostgres } from '../../backing/dev/postgres.ts';
import { type RunningRabbitmq, startRabbitmq } from '../../backing/dev/rabbitmq.ts';
import { startRedis } from '../../backing/dev/redis.ts';
import type { RunningServer } from '../../backing/dev/server.ts';
import { type RunningSwift, startSwift } from '../../backing/dev/swift.ts';
import type { TlsFiles } from '../../backing/dev/tls-files.ts';
import {
  entryPoint,
  type ProcessPlace,
  root,
  ServiceProcess,
  type ServiceRole,
  userEnvironment,
} from './service-process.ts';

const bucket = 'factorials';

/** Private real servers, and the processes of the service on them. */
export interface Deployment extends AsyncDisposable {
  readonly postgres: RunningServer;
  readonly rabbitmq: RunningRabbitmq;
  readonly redis: RunningServer;
  readonly swift: RunningSwift;
  /** For looking behind the service's back. */
  readonly metadata: MetadataStore;
  readonly objects: ObjectStore;
  /** Uploads under way in the bucket, or left behind there. */
  openUploads(): Promise<number>;
  /** Every process started here so far. */
  readonly processes: readonly ServiceProcess[];
  /** The environment of a process of this deployment. */
  environment(changes?: Readonly<Record<string, string>>): NodeJS.ProcessEnv;
  startApi(changes?: Readonly<Record<string, string>>, place?: ProcessPlace): Promise<ServiceProcess>;
  startWorker(
    changes?: Readonly<Record<string, string>>,
    imports?: readonly string[],
    place?: ProcessPlace,
  ): Promise<ServiceProcess>;
  /** The Step Functions server, each task of its executions a process of its own. */
  startWorkflow(changes?: Readonly<Record<string, string>>, place?: ProcessPlace): Promise<ServiceProcess>;
  /** Remove what runs before left of these numbers, as pruning does: each is as good as never asked for. */
  forget(...numbers: readonly number[]): Promise<void>;
  /** kill −9 every worker that is left, so that no test meets those of another. */
  killWorkers(): Promise<void>;
  migrate(): Promise<string>;
}

/** Short leases and sweeps, so that a recovery takes seconds. */
const quickRecovery = {
  LEASE_SECONDS: '2',
  HEARTBEAT_SECONDS: '0.3',
  SWEEP_INTERVAL_SECONDS: '0.5',
  RETRY_DELAY_SECONDS: '0.2',
  DRAIN_SECONDS: '20',
  UNFINISHED_MAX_PER_CLIENT: '10000',
  RATE_LIMIT_PER_MINUTE: '0',
  LOG_LEVEL: 'info',
};

/** Start all four servers side by side, make the bucket, migrate the database. Ends everything it started when that fails. */
export async function startDeployment(options: { readonly postgresTls?: TlsFiles } = {}): Promise<Deployment> {
  await using stack = new AsyncDisposableStack();
  const { postgresTls } = options;
  const postgresOptions = postgresTls === undefined ? {} : { tls: postgresTls };
  const starting = [startPostgres(postgresOptions), startRabbitmq(), startRedis(), startSwift()] as const;
  const started = await Promise.allSettled(starting);
  for (const server of started) if (server.status === 'fulfilled') stack.defer(() => server.value.dispose());
  const [postgres, rabbitmq, redis, swift] = await Promise.all(starting);
  const credentials = { accessKeyId: swift.accessKeyId, secretAccessKey: swift.secretAccessKey };
  const client = stack.adopt(s3Client(swift), (opened) => opened.destroy());
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const environment = (changes: Readonly<Record<string, string>> = {}) =>
    userEnvironment({
      ...quickRecovery,
      PORT: '0',
      DATABASE_URL: postgres.url,
      AMQP_URL: rabbitmq.url,
      REDIS_URL: redis.url,
      S3_BUCKET: bucket,
      S3_ENDPOINT: swift.url,
      S3_REGION: swift.region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...changes,
    });
  const migrate = async (): Promise<string> =>
    (await promisify(execFile)(process.execPath, [entryPoint('migrate')], { cwd: root, env: environment() })).stdout;
  await migrate();
  // The adapters take credentials from the environment only.
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  });
  const metadata = stack.adopt(createPostgresMetadataStore({ url: postgres.url, poolMax: 2 }), (store) =>
    store.close(),
  );
  const objects = stack.adopt(
    createS3ObjectStore({ bucket, endpoint: swift.url, region: swift.region, forcePathStyle: true }),
    (store) => store.close(),
  );
  const owned = stack.move();
  const workers: ServiceProcess[] = [];
  const processes: ServiceProcess[] = [];
  const run = async (entry: ServiceRole, changes = {}, place: ProcessPlace = {}) => {
    const env = environment({ WORKER_HEALTH_PORT: '0', WORKFLOW_PORT: '0', ...changes });
    const child = await ServiceProcess.start(entry, env, place);
    processes.push(child);
    if (entry === 'worker') workers.push(child);
    owned.defer(() => child.kill());
    return child;
  };
  return {
    postgres,
    rabbitmq,
    redis,
    swift,
    metadata,
    objects,
    processes,
    environment,
    migrate,
    openUploads: async () =>
      (await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0,
    forget: async (...numbers) => {
      for (const n of numbers) {
        const row = await metadata.find(BigInt(n));
        if (row?.status !== 'done') continue;
        await metadata.removeDone(row);
        await objects.remove(row.objectKey);
      }
    },
    killWorkers: async () => void (await Promise.all(workers.splice(0).map((worker) => worker.kill()))),
    startApi: (changes, place) => run('api', changes, place),
    startWorker: (changes, imports = [], place = {}) => run('worker', changes, { imports, ...place }),
    startWorkflow: (changes, place) => run('workflow', changes, place),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function s3Client({ url: endpoint, region, accessKeyId, secretAccessKey }: RunningSwift): S3Client {
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
}

/** Ask an API for n!; the status of its answer. */
export async function post(api: ServiceProcess, n: number | bigint): Promise<number> {
  const answer = await fetch(`${api.url}/factorial`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ number: String(n) }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** The row of n once it is `done` or `failed`; rejects after `limitMs` with what it is instead. */
export async function settled(metadata: MetadataStore, n: number | bigint, limitMs = 120_000): Promise<FactorialRow> {
  return await eventually(`${n}! to end`, limitMs, async () => {
    const row = await metadata.find(BigInt(n));
    return row?.status === 'done' || row?.status === 'failed' ? row : undefined;
  });
}

/** The first defined answer; asked again after each pause, a rejection counting as none. */
export async function eventually<T>(
  what: string,
  limitMs: number,
  ask: () => Promise<T | undefined>,
  pauseMs = 50,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  let last: unknown = 'no answer';
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`expected ${what} within ${limitMs} ms, got ${String(last)}`);
    await new Promise((next) => setTimeout(next, pauseMs));
  }
}

/** Hex SHA-256 of the digits an API serves for n, and how many there are. */
export async function servedDigits(
  api: ServiceProcess,
  n: number | bigint,
): Promise<{ sha256: string; length: number }> {
  const answer = await fetch(`${api.url}/factorial/digits?number=${n}`);
  if (answer.status !== 200) throw new Error(`expected the digits of ${n}!, got ${answer.status}`);
  const digits = new Uint8Array(await answer.arrayBuffer());
  return { sha256: createHash('sha256').update(digits).digest('hex'), length: digits.length };
}
