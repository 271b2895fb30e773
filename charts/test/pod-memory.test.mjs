import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { golden } from '../../acceptance/golden.ts';
import { post, servedDigits, settled, startDeployment } from '../../acceptance/real-services/deployment.ts';
import { processTree } from '../../backing/dev/process-tree.ts';
import { containerEnvironment, ofKind, render } from './render.mjs';

const kibibyte = 2 ** 10;
const mebibyte = 2 ** 20;
const samplingMs = 20;

/** Bytes of a field of /proc/<pid>/status, such as VmRSS; 0 for a process that ended. */
function memoryOf(pid, field) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * kibibyte;
  } catch {
    return 0;
  }
}

/** Sample the resident memory of a process and all its descendants until it is stopped: the largest sum seen, and the last one. */
function sampleTree(root) {
  const samples = { peakBytes: 0, lastBytes: 0 };
  const timer = setInterval(() => {
    samples.lastBytes = processTree(root).reduce((sum, pid) => sum + memoryOf(pid, 'VmRSS'), 0);
    samples.peakBytes = Math.max(samples.peakBytes, samples.lastBytes);
  }, samplingMs);
  return { samples, stop: () => clearInterval(timer) };
}

/** The environment of a container, without where its servers and folders are: those are of this machine. */
function podEnvironment(objects, component, folder) {
  const [deployment] = ofKind(objects, 'Deployment').filter(({ metadata }) => metadata.name.endsWith(component));
  const [container] = deployment.spec.template.spec.containers;
  const rendered = containerEnvironment(objects, container);
  const kept = Object.entries(rendered).filter(([name]) => !/^(S3_|AWS_|DATABASE_|REDIS_|AMQP_)/.test(name));
  const here = { HOST: '127.0.0.1', PORT: '0', WORKER_HEALTH_PORT: '0' };
  const folders = { DATA_DIR: join(folder, 'data'), SCRATCH_DIR: folder, TMPDIR: folder };
  return {
    environment: { ...Object.fromEntries(kept), ...here, ...folders },
    limitBytes: Number(/^(\d+)Mi$/.exec(container.resources.limits.memory)[1]) * mebibyte,
  };
}

const inMebibytes = (bytes) => `${Math.round(bytes / mebibyte)} MiB`;

test('a worker with the rendered environment of a pod of 512 MiB computes 10,000,000! to S3 within 512 MiB, quick ones beside it', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'factorial-pod-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  await using deployment = await startDeployment();
  const objects = render('small');
  const [workerPod, apiPod] = ['-worker', '-api'].map((component) => podEnvironment(objects, component, folder));
  assert.equal(workerPod.limitBytes, 512 * mebibyte);
  assert.match(workerPod.environment.NODE_OPTIONS, /--max-old-space-size=\d+/);
  const worker = await deployment.startWorker(workerPod.environment);
  const api = await deployment.startApi(apiPod.environment);
  await delay(1_000);
  const idleBytes = memoryOf(worker.pid, 'VmRSS');
  const { samples, stop } = sampleTree(worker.pid);
  try {
    const numbers = [10_000_000, 65_536, 100_000, 123_456, 250_000];
    for (const n of numbers) assert.equal(await post(api, n), 202);
    for (const n of numbers) {
      const { status, checksum, error } = await settled(deployment.metadata, n, 600_000);
      assert.deepEqual({ status, checksum, error }, { status: 'done', checksum: golden(n).sha256, error: null });
      assert.equal((await servedDigits(api, n)).sha256, golden(n).sha256);
    }
  } finally {
    stop();
  }
  const peakBytes = Math.max(samples.peakBytes, memoryOf(worker.pid, 'VmHWM'));
  const apiPeakBytes = memoryOf(api.pid, 'VmHWM');
  context.diagnostic(
    `worker idle ${inMebibytes(idleBytes)}, peak ${inMebibytes(peakBytes)}; API peak ${inMebibytes(apiPeakBytes)}`,
  );
  assert.ok(samples.peakBytes > idleBytes, 'the memory was sampled while it worked');
  assert.ok(peakBytes < workerPod.limitBytes, `${inMebibytes(peakBytes)} of ${inMebibytes(workerPod.limitBytes)}`);
  assert.ok(apiPeakBytes < apiPod.limitBytes, `${inMebibytes(apiPeakBytes)} of ${inMebibytes(apiPod.limitBytes)}`);
  assert.equal(await worker.stop(), 0);
});
