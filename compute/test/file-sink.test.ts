import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { computeFactorial, FileSink, InputError } from '../src/index.ts';
import { watchedBytes, watchedSource } from './digit-source.ts';
import { factorialNaive } from './factorial-naive.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-sink-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('the file holds the digits, and nothing else is in the folder', async () => {
  const path = join(folder, 'digits');
  const receipt = await new FileSink(path).write(watchedSource(20, 1000));
  expect(receipt).toEqual({ bytes: 20_000n, location: path });
  expect(await readFile(path, 'utf8')).toBe(watchedBytes(20, 1000));
  expect(await readdir(folder)).toEqual(['digits']);
});

test('a computed factorial goes to a file', async () => {
  const path = join(folder, 'factorial');
  const result = await computeFactorial(3000);
  await new FileSink(path).write({ digits: result.digits(), digitCount: result.digitCount });
  expect(await readFile(path, 'utf8')).toBe(factorialNaive(3000).toString());
});

test('until it is whole the file has its old content, and an old file is replaced', async () => {
  const path = join(folder, 'digits');
  await writeFile(path, 'old');
  const source = watchedSource(5, 10);
  async function* watching(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.digits) {
      expect(await readFile(path, 'utf8')).toBe('old');
      yield chunk;
    }
  }
  await new FileSink(path).write({ digits: watching(), digitCount: 50n });
  expect(await readFile(path, 'utf8')).toBe(watchedBytes(5, 10));
});

test('a symbolic link stays one, and its target is replaced', async () => {
  await mkdir(join(folder, 'elsewhere'));
  await writeFile(join(folder, 'elsewhere', 'target'), 'old');
  await symlink(join('elsewhere', 'target'), join(folder, 'link'));
  const receipt = await new FileSink(join(folder, 'link')).write(watchedSource(1, 10));
  expect(await readFile(join(folder, 'elsewhere', 'target'), 'utf8')).toBe(watchedBytes(1, 10));
  expect(receipt.location.endsWith(join('elsewhere', 'target'))).toBe(true);
});

test.each([
  ['too few', 51n],
  ['too many', 49n],
])('%s bytes leave no file', async (_, digitCount) => {
  const source = watchedSource(5, 10, { digitCount });
  const write = new FileSink(join(folder, 'digits')).write(source);
  await expect(write).rejects.toMatchObject({ code: 'sink-byte-count' });
  expect(await readdir(folder)).toEqual([]);
  expect(source.released()).toBe(true);
});

test('a source that fails leaves no file and its error passes', async () => {
  const write = new FileSink(join(folder, 'digits')).write(watchedSource(5, 10, { failAt: 3 }));
  await expect(write).rejects.toThrow('the source failed');
  expect(await readdir(folder)).toEqual([]);
});

test('an abort ends even a write whose source is silent, and leaves no file', async () => {
  const controller = new AbortController();
  const source = watchedSource(5, 10, { stallAt: 3, signal: controller.signal });
  const write = new FileSink(join(folder, 'digits')).write(source);
  const reason = new Error('stop');
  setTimeout(() => controller.abort(reason), 30);
  await expect(write).rejects.toBe(reason);
  expect(await readdir(folder)).toEqual([]);
});

test('a directory, a device and a missing folder are refused before a byte is pulled', async () => {
  for (const path of [folder, '/dev/null', join(folder, 'missing', 'digits')]) {
    const source = watchedSource(5, 10);
    const failure = await new FileSink(path).write(source).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect((failure as Error).message).toContain(path);
    expect(source.pulled()).toBe(0);
  }
});

test('two writes to one path at once leave one of them whole', async () => {
  const path = join(folder, 'digits');
  await Promise.all([new FileSink(path).write(watchedSource(9, 10)), new FileSink(path).write(watchedSource(5, 10))]);
  expect([watchedBytes(9, 10), watchedBytes(5, 10)]).toContain(await readFile(path, 'utf8'));
  expect(await readdir(folder)).toEqual(['digits']);
});

test('when the system takes no more bytes the error says so and the file is gone', async () => {
  // The kernel's limit on the size of a file stands for a full disk; its signal is ignored so that the write fails instead.
  const script = `
    import { FileSink } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
    async function* digits() { for (let i = 0; i < 100; i++) yield new Uint8Array(10_000).fill(48); }
    await new FileSink(process.argv[1]).write({ digits: digits(), digitCount: 1_000_000n })
      .catch((error) => console.log(error.code, error.message));`;
  const path = join(folder, 'digits');
  const command = `trap '' XFSZ; ulimit -f 100; exec "$0" --input-type=module -e "$1" "$2"`;
  const child = spawnSync('bash', ['-c', command, process.execPath, script, path], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  expect(child.stdout).toMatch(/^sink-full no space left for .*digits: EFBIG/);
  expect(await readdir(folder)).toEqual([]);
});
