import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { StreamSink } from '../src/index.ts';
import { watchedBytes, watchedSource } from './digit-source.ts';

const index = new URL('../dist/index.js', import.meta.url).href;
/** Writes 10 MB of digits to standard output and says on standard error what came of it. */
const script = `
  import { stdoutSink } from ${JSON.stringify(index)};
  async function* digits() { for (let i = 0; i < 1000; i++) yield new Uint8Array(10_000).fill(55); }
  await stdoutSink().write({ digits: digits(), digitCount: 10_000_000n }).then(
    (receipt) => console.error('wrote', receipt.bytes), (error) => console.error('failed', error.code));`;

test('a stream gets all digits and stays open', async () => {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      chunks.push(chunk);
      done();
    },
  });
  const receipt = await new StreamSink(stream, 'memory').write(watchedSource(20, 100));
  expect(receipt).toEqual({ bytes: 2000n, location: 'memory' });
  expect(Buffer.concat(chunks).toString()).toBe(watchedBytes(20, 100));
  expect(stream.writableEnded).toBe(false);
  expect(stream.listenerCount('error') + stream.listenerCount('close')).toBe(0);
});

test('a slow stream holds the source back to one chunk at a time', async () => {
  const source = watchedSource(50, 10);
  let taken = 0;
  const stream = new Writable({
    highWaterMark: 1_000_000,
    write(_chunk, _, done) {
      expect(source.pulled()).toBeLessThanOrEqual(taken + 1);
      taken++;
      setTimeout(done, 1);
    },
  });
  await new StreamSink(stream, 'slow').write(source);
  expect(taken).toBe(50);
});

test('an abort ends a write that the stream never takes', async () => {
  const controller = new AbortController();
  const source = watchedSource(5, 10, { signal: controller.signal });
  const reason = new Error('stop');
  setTimeout(() => controller.abort(reason), 20);
  await expect(new StreamSink(new Writable({ write() {} }), 'stuck').write(source)).rejects.toBe(reason);
  expect(source.released()).toBe(true);
});

test('a stream that is closed under the write is reported as closed', async () => {
  const stream = new Writable({ write() {} });
  setTimeout(() => stream.destroy(), 20);
  const source = watchedSource(5, 10);
  await expect(new StreamSink(stream, 'gone').write(source)).rejects.toMatchObject({ code: 'sink-closed' });
  expect(source.released()).toBe(true);
});

test('a full device is reported as full', async () => {
  const stream = createWriteStream('/dev/full');
  await expect(new StreamSink(stream, '/dev/full').write(watchedSource(5, 10))).rejects.toMatchObject({
    code: 'sink-full',
  });
});

test('standard output gets every byte through a pipe', () => {
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { maxBuffer: 20_000_000 });
  expect(child.stderr.toString()).toBe('wrote 10000000n\n');
  expect(child.stdout.length).toBe(10_000_000);
});

test('when the reader of a pipe goes away the write ends quietly with its own code', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.once('data', () => child.stdout.destroy());
  let said = '';
  child.stderr.on('data', (data) => {
    said += data;
  });
  const exitCode = await new Promise((resolve) => child.once('close', resolve));
  expect(said).toBe('failed sink-closed\n');
  expect(exitCode).toBe(0);
});
