/** How fast does `factorial verify` read a file of digits, beside what reading it alone takes? The file is in the page cache. */
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from './measured-process.ts';
import { record } from './record.ts';

const [n = '100000000'] = process.argv.slice(2);
const runs = 3;
const blockBytes = 2 ** 20;
const cli = fileURLToPath(new URL('../../service/dist/cli/main.js', import.meta.url));
const factorial = (...args: string[]) => execFileSync(process.execPath, [cli, ...args], { encoding: 'utf8' });

async function readSeconds(path: string): Promise<{ seconds: number; bytes: number }> {
  const startedMs = performance.now();
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: blockBytes })) bytes += (chunk as Buffer).length;
  return { seconds: (performance.now() - startedMs) / 1000, bytes };
}

const folder = await mkdtemp(join(tmpdir(), 'verify-'));
try {
  const path = join(folder, 'digits');
  factorial(n, '--out', path, '--quiet');
  const { bytes } = await readSeconds(path);
  const [verifying, reading]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    const { verified, seconds } = JSON.parse(factorial('verify', path, '--n', n, '--json'));
    if (verified !== true) throw new Error(`expected ${n}! to be verified, got ${verified}`);
    verifying.push(seconds);
    reading.push((await readSeconds(path)).seconds);
  }
  const rate = (seconds: readonly number[]) => Math.round(bytes / 1e6 / median(seconds));
  record('verify', { n, bytes, threads: 1, verifyMBPerSecond: rate(verifying), readMBPerSecond: rate(reading) });
} finally {
  await rm(folder, { recursive: true, force: true });
}
