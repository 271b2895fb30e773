import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningSwift, startSwift } from '../../backing/dev/swift.ts';
import { startTcpProxy, type TcpProxy, throughProxy } from '../../backing/dev/tcp-proxy.ts';
import { golden } from '../golden.ts';
import { mebibyte, mebibytes, serviceSlackBytes, startMeasured } from '../measured-run.ts';
import { temporaryFolder, userEnvironment } from '../product.ts';

const bucket = 'factorials';
const memoryMiB = 192;
/** 66 MB of digits: were they to pile up before a store that is slow, the memory would tell. */
const n = 10_000_000;
const slowBytesPerSecond = 6_000_000;

let swift: RunningSwift;
let proxy: TcpProxy;
beforeAll(async () => {
  swift = await startSwift();
  proxy = await startTcpProxy(Number(new URL(swift.url).port));
  const credentials = { accessKeyId: swift.accessKeyId, secretAccessKey: swift.secretAccessKey };
  const client = new S3Client({ endpoint: swift.url, region: swift.region, forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
}, 180_000);
afterAll(async () => {
  await proxy?.close();
  await swift?.dispose();
});

async function measuredRun(): Promise<{
  readonly seconds: number;
  readonly peakBytes: number;
  readonly idleBytes: number;
}> {
  const folder = await temporaryFolder();
  try {
    await using service = await startMeasured(
      userEnvironment({
        DATA_DIR: folder.path,
        COMPUTE_MEMORY_BYTES: `${memoryMiB}MiB`,
        COMPUTE_SCRATCH_BYTES: '4GiB',
        LOG_LEVEL: 'warn',
        S3_BUCKET: bucket,
        S3_ENDPOINT: throughProxy(swift.url, proxy),
        S3_REGION: swift.region,
        AWS_ACCESS_KEY_ID: swift.accessKeyId,
        AWS_SECRET_ACCESS_KEY: swift.secretAccessKey,
      }),
    );
    const startedMs = performance.now();
    const { peakBytes, rows } = await service.run([n]);
    expect(rows).toMatchObject([{ status: 'done', checksum: golden(n).sha256 }]);
    return { seconds: (performance.now() - startedMs) / 1000, peakBytes, idleBytes: service.idleBytes };
  } finally {
    await folder.remove();
  }
}

describe('a slow S3', { timeout: 300_000 }, () => {
  it('slows the stream of digits and grows no memory', async () => {
    const atFullSpeed = await measuredRun();
    proxy.throttle(slowBytesPerSecond);
    const slowed = await measuredRun();
    for (const [what, { seconds, peakBytes, idleBytes }] of Object.entries({ atFullSpeed, slowed })) {
      console.info(`${what}: ${seconds.toFixed(1)} s, idle ${mebibytes(idleBytes)}, peak ${mebibytes(peakBytes)}`);
      expect(peakBytes).toBeLessThanOrEqual(idleBytes + memoryMiB * mebibyte + serviceSlackBytes);
    }
    expect(slowed.seconds).toBeGreaterThan(golden(n).digits / slowBytesPerSecond);
    // Less than half of the digits: they did not pile up.
    expect(slowed.peakBytes - slowed.idleBytes).toBeLessThan(
      atFullSpeed.peakBytes - atFullSpeed.idleBytes + 0.5 * golden(n).digits,
    );
  });
});
