/**
 * What a disk writes in a second, sequentially, in blocks of the size that scratch files are written in, until it has them: `diskBytesPerSecond` in
 * src/engine/decimal/external/external-seconds.ts. Usage: node compute/tuners/disk.ts FOLDER [GiB]
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

const blockBytes = 512 * 1024;
const [folder = '.', gibibytes = '2'] = process.argv.slice(2);
const totalBytes = Number(gibibytes) * 2 ** 30;
const directory = await mkdtemp(join(folder, 'factorial-disk-tuner-'));
try {
  const block = Buffer.alloc(blockBytes);
  for (let index = 0; index < blockBytes; index += 4) block.writeUInt32LE(Math.floor(Math.random() * 1e9), index);
  const file = await open(join(directory, 'blocks'), 'wx');
  const startMs = performance.now();
  for (let written = 0; written < totalBytes; written += blockBytes) await file.write(block);
  const cachedMs = performance.now() - startMs;
  await file.sync();
  const diskMs = performance.now() - startMs;
  await file.close();
  const rate = (ms: number) => `${Math.round(totalBytes / ms / 1000)} MB/s`;
  console.log(`${gibibytes} GiB to ${folder}: ${rate(cachedMs)} into the page cache, ${rate(diskMs)} onto the disk`);
} finally {
  await rm(directory, { recursive: true });
}
