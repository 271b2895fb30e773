import { createHash, randomBytes } from 'node:crypto';
import { InputError } from '@factorial/compute';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ObjectNotFoundError, TransientError } from '../../src/contracts/errors.ts';
import type { ObjectStore, StoredObject } from '../../src/objects/object-store.ts';

/** A fresh, empty store. */
export interface ObjectStoreUnderTest {
  readonly store: ObjectStore;
  dispose(): Promise<void>;
}

const key = 'factorials/20/1-00ff.txt';

export async function* chunksOf(bytes: Uint8Array, chunkBytes = 65_536): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += chunkBytes) yield bytes.slice(offset, offset + chunkBytes);
}

export function describeObjectStoreContract(name: string, makeStore: () => Promise<ObjectStoreUnderTest>): void {
  describe(`${name} keeps the object store contract`, () => {
    let subject: ObjectStoreUnderTest;
    let store: ObjectStore;

    beforeEach(async () => {
      subject = await makeStore();
      store = subject.store;
      await store.ping();
    });

    afterEach(async () => {
      await subject.dispose();
    });

    const put = (objectKey: string, bytes: Uint8Array) =>
      store.sink(objectKey).write({ digits: chunksOf(bytes), digitCount: BigInt(bytes.byteLength) });

    const get = async (objectKey: string, start?: bigint, end?: bigint): Promise<Buffer> =>
      collect(await store.read(objectKey, start === undefined || end === undefined ? undefined : { start, end }));

    const keys = async (): Promise<string[]> => {
      const found: StoredObject[] = [];
      for await (const object of store.list()) found.push(object);
      return found.map((object) => object.key).sort();
    };

    describe('writing', () => {
      test('an object reads back as it was written, with its size and SHA-256', async () => {
        const bytes = randomBytes(1_000_000);
        const receipt = await put(key, bytes);
        expect(receipt.bytes).toBe(1_000_000n);
        expect(bytes.equals(await get(key))).toBe(true);
        expect(await store.stat(key)).toMatchObject({ key, size: 1_000_000n });
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        expect(await store.checksum(key)).toEqual({ size: 1_000_000n, sha256 });
      });

      test('an empty object is an object', async () => {
        await put(key, new Uint8Array());
        expect(await store.stat(key)).toMatchObject({ size: 0n });
        expect((await get(key)).byteLength).toBe(0);
        const sha256 = createHash('sha256').digest('hex');
        expect(await store.checksum(key)).toEqual({ size: 0n, sha256 });
      });

      test('an object is invisible until it is whole', async () => {
        const gate = Promise.withResolvers<void>();
        const reached = Promise.withResolvers<void>();
        async function* digits() {
          yield Buffer.from('12345');
          reached.resolve();
          await gate.promise;
          yield Buffer.from('67890');
        }
        const writing = store.sink(key).write({ digits: digits(), digitCount: 10n });
        await reached.promise;
        expect(await store.stat(key)).toBeUndefined();
        await expect(store.read(key)).rejects.toThrow(ObjectNotFoundError);
        expect(await keys()).toEqual([]);
        gate.resolve();
        await writing;
        expect((await get(key)).toString()).toBe('1234567890');
      });

      test('the sink pulls no chunk before it has taken the one before', async () => {
        let ahead = 0;
        async function* digits() {
          for (let i = 0; i < 50; i++) {
            ahead += 1;
            expect(ahead).toBe(1);
            yield Buffer.alloc(10_000, '7');
            ahead -= 1;
          }
        }
        await store.sink(key).write({ digits: digits(), digitCount: 500_000n });
      });

      test('a second object under the same key replaces the first whole', async () => {
        await put(key, Buffer.from('first and longer'));
        await put(key, Buffer.from('second'));
        expect((await get(key)).toString()).toBe('second');
        expect(await keys()).toEqual([key]);
      });

      test('many objects can be written at once', async () => {
        const names = Array.from({ length: 20 }, (_, index) => `factorials/${index % 5}/${index}.txt`);
        await Promise.all(names.map((objectKey) => put(objectKey, Buffer.from(objectKey))));
        expect(await keys()).toEqual([...names].sort());
        for (const objectKey of names) expect((await get(objectKey)).toString()).toBe(objectKey);
      });

      test.each([
        ['fewer', 11n],
        ['more', 9n],
      ])('a source that yields %s bytes than it promised leaves nothing behind', async (_how, digitCount) => {
        const digits = chunksOf(Buffer.from('1234567890'), 3);
        await expect(store.sink(key).write({ digits, digitCount })).rejects.toThrow(/expected/);
        expect(await store.stat(key)).toBeUndefined();
        expect(await store.sweepUnfinished(0)).toBe(0);
      });

      test('a source that throws passes its error on and leaves nothing behind', async () => {
        const fault = new Error('verification failed');
        async function* digits() {
          yield Buffer.from('123');
          throw fault;
        }
        await expect(store.sink(key).write({ digits: digits(), digitCount: 10n })).rejects.toBe(fault);
        expect(await store.stat(key)).toBeUndefined();
        expect(await store.sweepUnfinished(0)).toBe(0);
      });

      test('aborting a write leaves nothing behind and closes the source', async () => {
        const controller = new AbortController();
        let closed = false;
        async function* digits() {
          try {
            for (;;) {
              yield Buffer.alloc(1_000, '7');
              controller.abort(new Error('cancelled'));
            }
          } finally {
            closed = true;
          }
        }
        const source = { digits: digits(), digitCount: 10n ** 6n, signal: controller.signal };
        await expect(store.sink(key).write(source)).rejects.toThrow('cancelled');
        expect(closed).toBe(true);
        expect(await store.stat(key)).toBeUndefined();
        expect(await store.sweepUnfinished(0)).toBe(0);
      });
    });

    describe('reading', () => {
      const text = '0123456789'.repeat(10_000);

      beforeEach(async () => {
        await put(key, Buffer.from(text));
      });

      test.each([
        [0n, 0n],
        [0n, 9n],
        [5n, 70_000n],
        [99_999n, 99_999n],
        [0n, 99_999n],
      ])('bytes %s to %s are those bytes, both ends included', async (start, end) => {
        expect((await get(key, start, end)).toString()).toBe(text.slice(Number(start), Number(end) + 1));
      });

      test.each([
        [0n, 100_000n],
        [-1n, 5n],
        [5n, 4n],
        [100_000n, 100_000n],
        [0n, 2n ** 64n],
      ])('bytes %s to %s are outside the object and refused before the first byte', async (start, end) => {
        await expect(store.read(key, { start, end })).rejects.toThrow(InputError);
      });

      test('a missing object is not found by any way of reading', async () => {
        await expect(store.read('factorials/1/none.txt')).rejects.toThrow(ObjectNotFoundError);
        await expect(store.checksum('factorials/1/none.txt')).rejects.toThrow(ObjectNotFoundError);
        expect(await store.stat('factorials/1/none.txt')).toBeUndefined();
        expect(await store.stat('factorials')).toBeUndefined();
      });

      test('ten readers at once each get every byte', async () => {
        const copies = await Promise.all(Array.from({ length: 10 }, () => get(key)));
        expect(copies.every((copy) => copy.toString() === text)).toBe(true);
      });

      test('a signal that aborts ends the reading with its reason', async () => {
        const controller = new AbortController();
        const chunks = await store.read(key, undefined, controller.signal);
        controller.abort(new Error('client went away'));
        await expect(collect(chunks)).rejects.toThrow('client went away');
        await expect(store.read(key, undefined, controller.signal)).rejects.toThrow('client went away');
        await expect(store.checksum(key, controller.signal)).rejects.toThrow('client went away');
      });

      test('a chunk belongs to its reader', async () => {
        for await (const chunk of await store.read(key)) chunk.fill(0);
        expect((await get(key)).toString()).toBe(text);
      });
    });

    describe('keeping', () => {
      test.each([
        '',
        '/',
        '/etc/passwd',
        '../up.txt',
        'factorials/../../up.txt',
        'factorials/./x',
        'factorials//x',
        'factorials/',
        '.hidden',
        'a\\b',
        'a b',
        'a\u0000b',
        'é',
        'a\n',
        'x'.repeat(129),
        Array(9).fill('a').join('/'),
      ])('the key %j is refused everywhere', async (bad) => {
        expect(() => store.sink(bad)).toThrow(InputError);
        await expect(store.read(bad)).rejects.toThrow(InputError);
        await expect(store.stat(bad)).rejects.toThrow(InputError);
        await expect(store.remove(bad)).rejects.toThrow(InputError);
        await expect(store.checksum(bad)).rejects.toThrow(InputError);
      });

      test('removing takes the object away; removing it again, or at once, is fine', async () => {
        await put(key, Buffer.from('120'));
        await put('factorials/20/2-00ff.txt', Buffer.from('120'));
        await Promise.all([store.remove(key), store.remove(key)]);
        await store.remove(key);
        expect(await keys()).toEqual(['factorials/20/2-00ff.txt']);
      });

      test('writing and removing side by side under one folder loses no object', async () => {
        const kept = Array.from({ length: 30 }, (_, index) => `factorials/20/keep-${index}.txt`);
        const passing = Array.from({ length: 30 }, (_, index) => `factorials/20/pass-${index}.txt`);
        await Promise.all([
          ...kept.map((objectKey) => put(objectKey, Buffer.from('1'))),
          ...passing.map(async (objectKey) => {
            await put(objectKey, Buffer.from('2'));
            await store.remove(objectKey);
          }),
        ]);
        expect(await keys()).toEqual([...kept].sort());
      });

      test('sweeping leaves visible objects and writes under way alone', async () => {
        await put(key, Buffer.from('120'));
        const gate = Promise.withResolvers<void>();
        const reached = Promise.withResolvers<void>();
        async function* digits() {
          yield Buffer.from('1');
          reached.resolve();
          await gate.promise;
          yield Buffer.from('2');
        }
        const writing = store.sink('factorials/3/1.txt').write({ digits: digits(), digitCount: 2n });
        await reached.promise;
        expect(await store.sweepUnfinished(0)).toBe(0);
        gate.resolve();
        await writing;
        expect(await keys()).toEqual([key, 'factorials/3/1.txt']);
      });

      test('a presigned URL is a URL or absent', async () => {
        await put(key, Buffer.from('120'));
        const url = await store.presign(key, 60);
        expect(url === undefined || URL.canParse(url)).toBe(true);
      });

      test('after close every call says that the store is closed', async () => {
        await store.close();
        await expect(store.stat(key)).rejects.toThrow(TransientError);
        await expect(store.read(key)).rejects.toThrow(TransientError);
        await expect(put(key, Buffer.from('1'))).rejects.toThrow(TransientError);
      });
    });
  });
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
