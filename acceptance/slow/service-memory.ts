// The long runs of the service: n! with less memory than its digits, whose checksum and peak memory must be what is promised.
// Usage: node acceptance/slow/service-memory.ts [n…], default 10000000 30000000, each within 256 MiB.
import { golden } from '../golden.ts';
import { mebibyte, mebibytes, serviceSlackBytes, startMeasured } from '../measured-run.ts';
import { temporaryFolder, userEnvironment } from '../product.ts';

const memoryMiB = 256;
const chosen = process.argv.length > 2 ? process.argv.slice(2) : ['10000000', '30000000'];

for (const text of chosen) {
  const n = Number(text);
  const expected = golden(n);
  const folder = await temporaryFolder();
  try {
    const settings = { COMPUTE_MEMORY_BYTES: `${memoryMiB}MiB`, COMPUTE_SCRATCH_BYTES: '16GiB', LOG_LEVEL: 'warn' };
    await using service = await startMeasured(userEnvironment({ DATA_DIR: folder.path, ...settings }));
    const startedMs = performance.now();
    const { peakBytes, rows } = await service.run([n]);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    const idle = mebibytes(service.idleBytes);
    process.stdout.write(`${n}! ${seconds} s, idle ${idle}, budget ${memoryMiB} MiB, peak ${mebibytes(peakBytes)}\n`);
    const [row] = rows;
    if (row?.checksum !== expected.sha256) throw new Error(`${n}!: got ${JSON.stringify(row)}`);
    const allowed = service.idleBytes + memoryMiB * mebibyte + serviceSlackBytes;
    if (peakBytes > allowed) throw new Error(`${n}!: expected ${allowed} bytes at most, got ${peakBytes}`);
  } finally {
    await folder.remove();
  }
}
