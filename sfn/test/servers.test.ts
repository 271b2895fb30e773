import { readFileSync } from 'node:fs';
import {
  cancelCalculation,
  createMysqlMetadataStore,
  createPostgresMetadataStore,
  createStepFunctionsWorkflowEngine,
  type Execution,
  executionName,
  type MetadataStore,
  type ObjectStore,
  type WorkflowEngine,
} from '@factorial/backing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openMysqlDatabase } from '../../backing/test/databases/mysql-database.ts';
import { openPostgresDatabase } from '../../backing/test/databases/postgres-database.ts';
import type { TestDatabase } from '../../backing/test/databases/test-database.ts';
import { type HttpFaultProxy, startHttpFaultProxy } from '../../backing/test/http-fault-proxy.ts';
import { startTestS3, type TestS3 } from '../../backing/test/s3-test-support.ts';
import { childProcessTaskHandlers } from '../src/child-process-handlers.ts';
import { type StepFunctionsEndpoint, startStepFunctionsEndpoint } from '../src/endpoint/step-functions-endpoint.ts';
import { loadStateMachine } from '../src/state-machine.ts';
import { ask, keysOf, until } from './services.ts';

const golden = (
  JSON.parse(readFileSync(new URL('../../compute/test/golden/factorials.json', import.meta.url), 'utf8')) as {
    factorials: Record<string, { digits: number; sha256: string }>;
  }
).factorials;

interface Started {
  readonly pid: number;
  readonly command: readonly string[];
}

/** Where rows are, by the scheme of the database's URL. */
const databases = {
  postgres: { open: openPostgresDatabase, createStore: createPostgresMetadataStore },
  mysql: { open: openMysqlDatabase, createStore: createMysqlMetadataStore },
} as const;

describe.each(['postgres', 'mysql'] as const)(
  'executions over HTTP, tasks as processes, rows in %s, digits in S3',
  (kind) => {
    let database: TestDatabase;
    let s3: TestS3;
    let proxy: HttpFaultProxy;
    let metadata: MetadataStore;
    let objects: ObjectStore;
    let endpoint: StepFunctionsEndpoint;
    let engine: WorkflowEngine;
    let onStart: (task: Started) => void;
    let started: string[];

    beforeAll(async () => {
      [database, s3] = await Promise.all([databases[kind].open(), startTestS3()]);
      proxy = await startHttpFaultProxy(s3.endpoint);
      metadata = databases[kind].createStore({ url: database.url });
      await metadata.migrate();
    });
    afterAll(async () => {
      await metadata.close();
      await proxy.close();
      await Promise.all([database.drop(), s3.dispose()]);
    });

    beforeEach(async () => {
      const bucket = await s3.makeBucket();
      objects = s3.store({ bucket });
      onStart = () => undefined;
      started = [];
      proxy.fault = () => undefined;
      const environment = {
        PATH: process.env.PATH,
        DATABASE_URL: database.url,
        S3_BUCKET: bucket,
        // Path-style at the proxy; signatures are for the address that is asked.
        S3_ENDPOINT: proxy.url,
        AWS_REGION: s3.swift?.region ?? 'us-east-1',
        AWS_ACCESS_KEY_ID: process.env.AWS_ACCESS_KEY_ID,
        AWS_SECRET_ACCESS_KEY: process.env.AWS_SECRET_ACCESS_KEY,
        COMPUTE_MEMORY_BYTES: '1GiB',
        HEARTBEAT_SECONDS: '0.1',
        LEASE_SECONDS: '5',
      };
      endpoint = await startStepFunctionsEndpoint({
        definition: await loadStateMachine(),
        handlers: childProcessTaskHandlers({
          environment,
          onStart: (task) => {
            started.push(task.command.at(-1) ?? '');
            onStart(task);
          },
        }),
      });
      const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
      const { stateMachineArn } = endpoint;
      engine = createStepFunctionsWorkflowEngine({ stateMachineArn, endpoint: endpoint.url, credentials });
    });
    afterEach(async () => {
      await engine.close();
      await endpoint.close();
      await objects.close();
    });

    async function start(n: bigint): Promise<string> {
      await ask(metadata, n);
      const row = (await metadata.find(n))!;
      const name = executionName(row);
      await engine.start(name, { number: n.toString(), attempt: row.attempt });
      return name;
    }

    async function ended(name: string): Promise<Execution> {
      await until(async () => ((await engine.describe(name)) ?? { status: 'RUNNING' }).status !== 'RUNNING', 90_000);
      return (await engine.describe(name))!;
    }

    async function expectGolden(n: bigint): Promise<void> {
      const facts = golden[String(n)]!;
      const row = (await metadata.find(n))!;
      expect(row).toMatchObject({ status: 'done', checksum: facts.sha256, size: BigInt(facts.digits) });
      expect((await objects.checksum(row.objectKey)).sha256).toBe(facts.sha256);
    }

    it('publish golden digits, several at a time, however often they are started', async () => {
      const numbers = [5_000n, 20_000n, 100_000n];
      const names = await Promise.all(numbers.map(start));
      await Promise.all(numbers.map(start));
      for (const name of names) expect(await ended(name)).toMatchObject({ status: 'SUCCEEDED' });
      for (const n of numbers) await expectGolden(n);
      expect(started.filter((task) => task === 'publish')).toHaveLength(numbers.length);
      expect(await keysOf(objects)).toHaveLength(numbers.length);
    });

    it('calculate again when the process is killed mid-run, and leave no upload behind', async () => {
      let kills = 1;
      onStart = ({ pid, command }) => {
        if (command.at(-1) === 'calculate' && kills-- > 0) setTimeout(() => process.kill(pid, 'SIGKILL'), 600);
      };
      expect(await ended(await start(10_000_000n))).toMatchObject({ status: 'SUCCEEDED' });
      expect(started.filter((task) => task === 'calculate')).toHaveLength(2);
      await expectGolden(10_000_000n);
      expect(await objects.sweepUnfinished(0)).toBe(0);
    });

    it('outlast a burst of 503 from S3', async () => {
      let refused = 0;
      proxy.fault = ({ method }) => {
        // More than one task's tries of one request: the state machine has to try again.
        if (method !== 'PUT' || refused >= 7) return undefined;
        refused += 1;
        return { kind: 'answer', status: 503 };
      };
      expect(await ended(await start(30_000n))).toMatchObject({ status: 'SUCCEEDED' });
      expect(refused).toBe(7);
      expect(started.filter((task) => task === 'calculate')).toHaveLength(2);
      expect(await metadata.find(30_000n)).toMatchObject({ status: 'done', failures: 0 });
    });

    it('are stopped by a cancellation, which the row keeps', async () => {
      const name = await start(9_000_000n);
      await until(async () => ((await metadata.find(9_000_000n))?.progress?.done ?? 0) > 0);
      expect((await cancelCalculation(9_000_000n, { metadata, workflow: engine })).outcome).toBe('cancelled');
      expect(await ended(name)).toMatchObject({ status: 'ABORTED' });
      expect(await metadata.find(9_000_000n)).toMatchObject({ status: 'failed', error: { code: 'cancelled' } });
    });
  },
);
