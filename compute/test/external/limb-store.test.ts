import { mkdtemp, readdir, rm, symlink, truncate, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CheckpointStore } from '../../src/checkpoint/checkpoint-store.ts';
import { ScratchError } from '../../src/errors.ts';
import type { LimbStore } from '../../src/limbs/limb-store.ts';
import { MemoryStore } from '../../src/limbs/memory-store.ts';
import { ScratchStore } from '../../src/limbs/scratch-store.ts';
import { openBlob, type StoredBlob } from '../../src/limbs/stored-blob.ts';
import { seededRandom } from '../decimal/random.ts';

let parent: string;
let checkpoints: string;
beforeAll(async () => {
  checkpoints = await mkdtemp(join(tmpdir(), 'limb-store-checkpoints-'));
  parent = await mkdtemp(join(tmpdir(), 'limb-store-'));
});
afterAll(async () => {
  expect(await readdir(parent)).toEqual([]);
  await rm(parent, { recursive: true });
  for (const folder of await readdir(checkpoints)) expect(await readdir(join(checkpoints, folder))).toEqual([]);
  await rm(checkpoints, { recursive: true });
});

const stores: readonly (readonly [string, (capacityBytes: number) => Promise<LimbStore>])[] = [
  ['shared memory', async (capacityBytes) => new MemoryStore(capacityBytes)],
  ['scratch files', (capacityBytes) => ScratchStore.open(parent, capacityBytes)],
  ['files of a checkpoint', openCheckpoint],
];

/** A checkpoint's folder is to be empty afterwards as well. */
async function openCheckpoint(capacityBytes: number): Promise<LimbStore> {
  const directory = await mkdtemp(join(checkpoints, 'run-'));
  const store = await CheckpointStore.open(directory, capacityBytes);
  store.finish();
  return store;
}

describe.each(stores)('a store in %s', (_name, open) => {
  test('keeps what was written where it was written, zeros elsewhere, for every opener', async () => {
    await using store = await open(1000);
    const blob = await store.create('limbs', 100);
    await using first = await openBlob(blob);
    await using second = await openBlob(structuredClone(blob));
    await first.write(10, Uint8Array.of(1, 2, 3));
    await second.write(97, Uint8Array.of(7, 8, 9));
    const all = new Uint8Array(100);
    await second.read(0, all);
    expect(all[9]).toBe(0);
    expect([...all.subarray(10, 14)]).toEqual([1, 2, 3, 0]);
    const end = new Uint8Array(3);
    await first.read(97, end);
    expect([...end]).toEqual([7, 8, 9]);
  });

  test('counts bytes against its capacity, gives them back once, and remembers the worst moment', async () => {
    await using store = await open(1000);
    const a = await store.create('a', 600);
    await expect(store.create('b', 401)).rejects.toMatchObject({ code: 'scratch-full' });
    const b = await store.create('b', 400);
    expect([store.usedBytes, store.peakBytes]).toEqual([1000, 1000]);
    await store.remove(a);
    await store.remove(a);
    const shorter = await store.shrink(b, 100);
    expect([store.usedBytes, store.peakBytes]).toEqual([100, 1000]);
    await store.remove(shorter);
    expect(store.usedBytes).toBe(0);
  });

  test('keeps the start of a blob that is shortened', async () => {
    await using store = await open(1000);
    const blob = await store.create('a', 100);
    {
      await using opened = await openBlob(blob);
      await opened.write(0, Uint8Array.of(5, 6));
    }
    await using opened = await openBlob(await store.shrink(blob, 2));
    const bytes = new Uint8Array(2);
    await opened.read(0, bytes);
    expect([...bytes]).toEqual([5, 6]);
    await expect(opened.read(1, bytes)).rejects.toBeInstanceOf(ScratchError);
  });

  test('keeps every blob apart through random creates, writes, shortenings and removals, and reuses room as zeros', async () => {
    const seed = Date.now() % 2 ** 31;
    const random = seededRandom(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const capacityBytes = 20_000;
    await using store = await open(capacityBytes);
    const kept: { blob: StoredBlob; bytes: Uint8Array }[] = [];
    for (let step = 0; step < 150; step++) {
      const chosen = kept[below(kept.length)];
      const kind = random();
      if (chosen === undefined || kind < 0.4) {
        const size = 1 + below(3000);
        if (store.usedBytes + size > capacityBytes) continue;
        kept.push({ blob: await store.create(`step-${step}`, size), bytes: new Uint8Array(size) });
      } else if (kind < 0.7) {
        await using opened = await openBlob(chosen.blob);
        const offset = below(chosen.bytes.length);
        const bytes = Uint8Array.from({ length: below(chosen.bytes.length - offset + 1) }, () => below(256));
        await opened.write(offset, bytes);
        chosen.bytes.set(bytes, offset);
      } else if (kind < 0.85) {
        chosen.bytes = chosen.bytes.subarray(0, 1 + below(chosen.bytes.length));
        chosen.blob = await store.shrink(chosen.blob, chosen.bytes.length);
      } else {
        await store.remove(chosen.blob);
        kept.splice(kept.indexOf(chosen), 1);
      }
      for (const { blob, bytes } of step % 10 === 0 ? kept : []) {
        await using opened = await openBlob(blob);
        const offset = below(bytes.length);
        const found = new Uint8Array(bytes.length - offset);
        await opened.read(offset, found);
        expect(Buffer.compare(found, bytes.subarray(offset)), `seed ${seed}, step ${step}`).toBe(0);
      }
      expect(store.usedBytes).toBe(kept.reduce((sum, { bytes }) => sum + bytes.length, 0));
    }
  });

  test('refuses ranges beyond a blob', async () => {
    await using store = await open(1000);
    await using opened = await openBlob(await store.create('a', 10));
    await expect(opened.read(8, new Uint8Array(3))).rejects.toBeInstanceOf(ScratchError);
    await expect(opened.write(10, new Uint8Array(1))).rejects.toBeInstanceOf(ScratchError);
    await expect(opened.read(-1, new Uint8Array(1))).rejects.toBeInstanceOf(ScratchError);
  });
});

describe('shared memory', () => {
  test('takes no more memory than its capacity, however its room is cut up', async () => {
    await using store = new MemoryStore(64_000);
    const blobs = await Promise.all(Array.from({ length: 1000 }, (_, index) => store.create(`${index}`, 64)));
    for (const blob of blobs.filter((_, index) => index % 2 === 0)) await store.remove(blob);
    const scattered = await store.create('scattered', 32_000);
    const { location } = scattered;
    if (location.kind !== 'memory') throw new Error('no memory');
    expect(location.extents).toHaveLength(500);
    for (const { offset, bytes } of location.extents) expect(offset + bytes).toBeLessThanOrEqual(64_000);
  });

  test('refuses what the machine cannot reserve with a clear error', () => {
    expect(() => new MemoryStore(2 ** 52)).toThrow(/cannot reserve \d+ bytes of memory/);
  });
});

function pathOf({ location }: StoredBlob): string {
  if (location.kind !== 'scratch') throw new Error('no file');
  return location.path;
}

describe('scratch files', () => {
  test('a disk that is full is a clear error', async () => {
    await using store = await ScratchStore.open(parent, 1000);
    const blob = await store.create('a', 100);
    await unlink(pathOf(blob));
    // Every write to this device fails as a full disk does.
    await symlink('/dev/full', pathOf(blob));
    await using opened = await openBlob(blob);
    const failing = opened.write(0, new Uint8Array(10));
    await expect(failing).rejects.toMatchObject({ code: 'scratch-full', name: 'ScratchError' });
    await expect(failing).rejects.toThrow(/no space left/);
  });

  test('more than the disk has free is refused before anything is written', async () => {
    await expect(ScratchStore.open(parent, 2 ** 60, 2 ** 60)).rejects.toMatchObject({ code: 'scratch-full' });
    await using store = await ScratchStore.open(parent, 2 ** 60);
    await expect(store.create('a', 2 ** 59)).rejects.toMatchObject({ code: 'scratch-full' });
  });

  test('a file that lost its end or vanished is noticed', async () => {
    await using store = await ScratchStore.open(parent, 1000);
    const blob = await store.create('a', 100);
    await truncate(pathOf(blob), 50);
    {
      await using opened = await openBlob(blob);
      await expect(opened.read(0, new Uint8Array(100))).rejects.toThrow(/ends too early/);
    }
    await unlink(pathOf(blob));
    await expect(openBlob(blob)).rejects.toMatchObject({ code: 'scratch-failed' });
  });

  test('a folder that is not there is a clear error', async () => {
    await expect(ScratchStore.open(join(parent, 'nowhere'), 1000)).rejects.toBeInstanceOf(ScratchError);
  });
});
