import { mkdtemp, open, rm, statfs, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { ScratchError } from '../errors.ts';
import { type LimbStore, StoreLedger } from './limb-store.ts';
import { type StoredBlob, translateScratchError } from './stored-blob.ts';

/** Start of the name of every run's folder: whoever sweeps a scratch folder knows them by it. */
export const scratchFolderPrefix = 'factorial-scratch-';

/** Blobs as files in a folder of the run's own, made within `directory` and removed with everything in it when disposed. */
export class ScratchStore implements LimbStore {
  readonly directory: string;
  readonly #ledger: StoreLedger;
  #made = 0;

  private constructor(directory: string, capacityBytes: number) {
    this.directory = directory;
    this.#ledger = new StoreLedger(capacityBytes);
  }

  /** `ScratchError` when the folder cannot be made or its disk has less than `neededBytes` free. */
  static async open(parent: string, capacityBytes: number, neededBytes = 0): Promise<ScratchStore> {
    try {
      await assertFree(parent, neededBytes);
      return new ScratchStore(await mkdtemp(join(parent, scratchFolderPrefix)), capacityBytes);
    } catch (error) {
      throw translateScratchError(error, 'make');
    }
  }

  get usedBytes(): number {
    return this.#ledger.usedBytes;
  }

  get peakBytes(): number {
    return this.#ledger.peakBytes;
  }

  async create(label: string, bytes: number): Promise<StoredBlob> {
    this.#ledger.assertRoom(bytes);
    const path = join(this.directory, `${++this.#made}-${label}`);
    try {
      await assertFree(this.directory, bytes);
      const file = await open(path, 'wx');
      try {
        await file.truncate(bytes);
      } finally {
        await file.close();
      }
    } catch (error) {
      throw translateScratchError(error, 'make');
    }
    return this.#ledger.add({ location: { kind: 'scratch', path }, bytes });
  }

  async shrink(blob: StoredBlob, bytes: number): Promise<StoredBlob> {
    this.#ledger.delete(blob);
    try {
      if (blob.location.kind === 'scratch') await truncate(blob.location.path, bytes);
    } catch (error) {
      throw translateScratchError(error, 'shorten');
    }
    return this.#ledger.add({ location: blob.location, bytes });
  }

  async remove(blob: StoredBlob): Promise<void> {
    if (!this.#ledger.delete(blob) || blob.location.kind !== 'scratch') return;
    await rm(blob.location.path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3, retryDelay: 20 });
  }
}

/** Bytes that an ordinary user can still write to the disk of this folder. */
export async function freeScratchBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

async function assertFree(directory: string, bytes: number): Promise<void> {
  const free = await freeScratchBytes(directory);
  if (free >= bytes) return;
  const message = `expected ${bytes} free bytes for scratch files in ${directory}, got ${free}`;
  throw new ScratchError(message, { code: 'scratch-full' });
}
