import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SinkError } from '@factorial/compute';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CapacityError, CorruptObjectError, TransientError } from '../src/contracts/errors.ts';
import { createFilesystemObjectStore } from '../src/objects/filesystem-object-store.ts';
import { chunksOf, collect, describeObjectStoreContract } from './contracts/object-store.contract.ts';

let directory: string;

async function makeDirectory(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'factorial-objects-'));
}

describeObjectStoreContract('the filesystem object store', async () => {
  const own = await makeDirectory();
  const store = createFilesystemObjectStore({ directory: own, readChunkBytes: 10_000 });
  return {
    store,
    async dispose() {
      await store.close();
      await rm(own, { recursive: true, force: true });
    },
  };
});

describe('the filesystem object store', () => {
  beforeEach(async () => {
    directory = await makeDirectory();
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  const makeStore = (maxBytes?: bigint) =>
    createFilesystemObjectStore({ directory, readChunkBytes: 1_000, ...(maxBytes === undefined ? {} : { maxBytes }) });

  const put = (store: ReturnType<typeof makeStore>, key: string, bytes: number) =>
    store.sink(key).write({ digits: chunksOf(Buffer.alloc(bytes, '7')), digitCount: BigInt(bytes) });

  test('an object removed while it is read is read to its end', async () => {
    const store = makeStore();
    await put(store, 'a/b', 50_000);
    const chunks = await store.read('a/b');
    await store.remove('a/b');
    expect((await collect(chunks)).byteLength).toBe(50_000);
    await expect(store.read('a/b')).rejects.toThrow('expected an object a/b');
  });

  test('no file stays open after reading to the end, stopping early, aborting, or never beginning', async () => {
    const store = makeStore();
    await put(store, 'a/b', 50_000);
    const before = (await readdir('/proc/self/fd')).length;
    for (let round = 0; round < 20; round++) {
      await collect(await store.read('a/b'));
      for await (const _ of await store.read('a/b')) break;
      const controller = new AbortController();
      const chunks = await store.read('a/b', undefined, controller.signal);
      if (round % 2) await chunks[Symbol.asyncIterator]().next();
      controller.abort();
      const unread = (await store.read('a/b'))[Symbol.asyncIterator]();
      await unread.return?.();
      await expect(store.read('a/b', { start: 0n, end: 50_000n })).rejects.toThrow();
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before + 2);
  });

  test('an object cut while it is read is reported as corrupt, never as a short result', async () => {
    const store = makeStore();
    await put(store, 'a/b', 50_000);
    const chunks = (await store.read('a/b'))[Symbol.asyncIterator]();
    await chunks.next();
    await truncate(join(directory, 'objects/a/b'), 1_500);
    await chunks.next();
    await expect(chunks.next()).rejects.toThrow(CorruptObjectError);
  });

  test('one flipped bit on disk changes the checksum that is read back', async () => {
    const store = makeStore();
    await put(store, 'a/b', 50_000);
    const before = await store.checksum('a/b');
    const file = await open(join(directory, 'objects/a/b'), 'r+');
    await file.write(Buffer.from([0x36]), 0, 1, 33_333);
    await file.close();
    const after = await store.checksum('a/b');
    expect(after.size).toBe(before.size);
    expect(after.sha256).not.toBe(before.sha256);
  });

  test('what stays free is the limit less what is stored, also after reopening', async () => {
    const store = makeStore(10_000n);
    expect(await store.freeBytes()).toBe(10_000n);
    await put(store, 'a/1', 6_000);
    expect(await store.freeBytes()).toBe(4_000n);
    await put(store, 'a/1', 3_000);
    expect(await store.freeBytes()).toBe(7_000n);
    const reopened = makeStore(10_000n);
    expect(await reopened.freeBytes()).toBe(7_000n);
    await reopened.remove('a/1');
    await reopened.remove('a/1');
    expect(await reopened.freeBytes()).toBe(10_000n);
    await put(reopened, 'a/2', 1_000);
    const removedFirst = makeStore(10_000n);
    await removedFirst.remove('a/2');
    expect(await removedFirst.freeBytes()).toBe(10_000n);
  });

  test('without a limit the disk says what is free', async () => {
    expect(await makeStore().freeBytes()).toBeGreaterThan(0n);
  });

  test('an object that does not fit is refused before its first byte, and its room is not lost', async () => {
    const store = makeStore(10_000n);
    await put(store, 'a/1', 6_000);
    let pulled = false;
    async function* digits() {
      pulled = true;
      yield Buffer.alloc(5_000, '7');
    }
    const refused = store.sink('a/2').write({ digits: digits(), digitCount: 5_000n });
    await expect(refused).rejects.toThrow(CapacityError);
    expect(pulled).toBe(false);
    await put(store, 'a/3', 4_000);
    expect(await store.freeBytes()).toBe(0n);
  });

  test('writes at once never get the same room', async () => {
    const store = makeStore(10_000n);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => put(store, `a/${i}`, 4_000)));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(2);
    expect(await store.freeBytes()).toBe(2_000n);
  });

  test('a failed write gives its room back', async () => {
    const store = makeStore(10_000n);
    const failing = store.sink('a/1').write({ digits: chunksOf(Buffer.alloc(10)), digitCount: 9_000n });
    await expect(failing).rejects.toThrow(SinkError);
    expect(await store.freeBytes()).toBe(10_000n);
  });

  test('a disk that fills up in the middle ends the write as a capacity error and removes what was written', async () => {
    // A file size limit of the operating system (64 blocks of 1,024 bytes) stands for the full disk.
    const script = `
      import { createFilesystemObjectStore } from ${JSON.stringify(join(import.meta.dirname, '../dist/index.js'))};
      const store = createFilesystemObjectStore({ directory: ${JSON.stringify(directory)} });
      async function* digits() { for (let i = 0; i < 100; i++) yield Buffer.alloc(10_000, '7'); }
      try { await store.sink('a/1').write({ digits: digits(), digitCount: 1_000_000n }); console.log('written'); }
      catch (fault) { console.log(fault.name, fault.code, await store.sweepUnfinished(0)); }`;
    const path = join(directory, 'full-disk.mjs');
    await writeFile(path, script);
    const child = spawn('sh', ['-c', 'trap "" XFSZ; ulimit -f 64; exec "$0" "$1"', process.execPath, path]);
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    await once(child, 'close');
    expect(output.trim()).toBe('CapacityError capacity 0');
    expect(await readdir(join(directory, 'objects'))).toEqual([]);
    expect(await readdir(join(directory, 'uploads'))).toEqual([]);
  });

  test('sweeping removes only leftovers older than asked', async () => {
    const store = makeStore();
    const old = join(directory, 'uploads/old');
    await writeFile(old, '123');
    await writeFile(join(directory, 'uploads/new'), '123');
    const hourAgo = new Date(Date.now() - 3_600_000);
    await utimes(old, hourAgo, hourAgo);
    expect(await store.sweepUnfinished(60_000)).toBe(1);
    expect(await readdir(join(directory, 'uploads'))).toEqual(['new']);
  });

  test('folders left empty by a removal are gone', async () => {
    const store = makeStore();
    await put(store, 'factorials/5/1-a.txt', 3);
    await put(store, 'factorials/6/1-a.txt', 3);
    await store.remove('factorials/5/1-a.txt');
    expect(await readdir(join(directory, 'objects/factorials'))).toEqual(['6']);
  });

  test('a folder that is emptied and removed while others write into it costs no object', async () => {
    const store = makeStore();
    const rounds = Array.from({ length: 60 }, async (_, index) => {
      await put(store, `factorials/5/${index}.txt`, 3);
      expect(await store.stat(`factorials/5/${index}.txt`)).toMatchObject({ size: 3n });
      await store.remove(`factorials/5/${index}.txt`);
    });
    await Promise.all(rounds);
    expect(await readdir(join(directory, 'objects'))).toEqual([]);
  });

  test('a key that is a folder of other keys is refused without harm', async () => {
    const store = makeStore();
    await put(store, 'a/b/c', 3);
    await expect(put(store, 'a/b', 3)).rejects.toThrow(TransientError);
    await expect(put(store, 'a/b/c/d', 3)).rejects.toThrow(TransientError);
    expect((await stat(join(directory, 'objects/a/b/c'))).size).toBe(3);
    expect(await readdir(join(directory, 'uploads'))).toEqual([]);
  });

  test('a directory that vanished is a transient fault', async () => {
    const store = makeStore();
    await rm(directory, { recursive: true, force: true });
    await expect(store.ping()).rejects.toThrow(TransientError);
    await expect(put(store, 'a/b', 3)).rejects.toThrow(TransientError);
  });
});
