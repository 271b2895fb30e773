import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { connect } from 'amqplib';
import { afterEach, expect, test } from 'vitest';
import { processTree } from '../dev/process-tree.ts';
import { probeTcp } from '../dev/tcp-probe.ts';
import { until } from './rabbitmq-test-support.ts';

let child: ChildProcess | undefined;

afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
});

function start(): { readonly output: () => string } {
  const program = fileURLToPath(new URL('../dev/main.ts', import.meta.url));
  child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  return { output: () => output };
}

const portsIn = (text: string) => [...text.matchAll(/127\.0\.0\.1:([0-9]+)/g)].map(([, port]) => Number(port));

test('all services run side by side, serve with the printed environment, and Ctrl-C leaves no process', async () => {
  const { output } = start();
  await until(() => output().includes('# MySQL') || child?.exitCode !== null, 'all services', 80_000);
  expect(child?.exitCode).toBeNull();
  const environment = new Map(
    [...output().matchAll(/^export ([A-Z0-9_]+)='(.*)'$/gm)].map(([, name, value]) => [name, value]),
  );
  expect([...environment.keys()]).toEqual([
    'DATABASE_URL',
    'REDIS_URL',
    'AMQP_URL',
    'S3_ENDPOINT',
    'S3_BUCKET',
    'S3_REGION',
    'S3_FORCE_PATH_STYLE',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
  ]);
  const ports = portsIn(output());
  expect(new Set(ports).size).toBe(5);
  for (const port of ports) await probeTcp(port);
  await (await connect(environment.get('AMQP_URL') ?? '')).close();
  const s3 = new S3Client({
    endpoint: environment.get('S3_ENDPOINT') ?? '',
    region: environment.get('S3_REGION') ?? '',
    forcePathStyle: true,
    credentials: {
      accessKeyId: environment.get('AWS_ACCESS_KEY_ID') ?? '',
      secretAccessKey: environment.get('AWS_SECRET_ACCESS_KEY') ?? '',
    },
  });
  await s3.send(new HeadBucketCommand({ Bucket: environment.get('S3_BUCKET') ?? '' }));
  s3.destroy();
  const pids = processTree(child?.pid ?? 0);
  expect(pids.length).toBeGreaterThan(10);
  child?.kill('SIGINT');
  child?.kill('SIGINT');
  const [code] = await once(child as ChildProcess, 'exit');
  expect(code).toBe(0);
  expect(pids.filter((pid) => processTree(pid).length > 0)).toEqual([]);
  for (const port of ports) await expect(probeTcp(port)).rejects.toThrow();
});

test('a signal while the services start stops them all the same', async () => {
  start();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const pids = processTree(child?.pid ?? 0);
  expect(pids.length).toBeGreaterThan(1);
  child?.kill('SIGTERM');
  const [code] = await once(child as ChildProcess, 'exit');
  expect(code).toBe(0);
  expect(pids.filter((pid) => processTree(pid).length > 0)).toEqual([]);
});
