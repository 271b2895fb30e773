import { mkdtemp, open, readdir, readFile, rm, statfs, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ScratchError } from '../errors.ts';
import { type LimbStore, StoreLedger } from './limb-store.ts';
import { isGone, ownerFileName, ownerMark } from './scratch-owner.ts';
import { type StoredBlob, translateScratchError } from './stored-blob.ts';

/** Start of the name of every run's folder: whoever sweeps a scratch folder knows them by it. */
export const scratchFolderPrefix = 'factorial-scratch-';
/** Folders looked at before a run starts. */
const maxSweptFolders = 1000;

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
      await sweepScratch(parent);
      await assertFree(parent, neededBytes);
      const directory = await mkdtemp(join(parent, scratchFolderPrefix));
      await writeFile(join(directory, ownerFileName), ownerMark());
      return new ScratchStore(directory, capacityBytes);
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

/** Removes what killed processes left in this folder: the scratch of runs whose process is certainly gone, and nothing else. */
export async function sweepScratch(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(scratchFolderPrefix));
  for (const name of names.slice(0, maxSweptFolders)) {
    const directory = join(parent, name);
    // Without a mark, or with another user's that may not be read, nobody can tell whose it is.
    const mark = await readFile(join(directory, ownerFileName), 'utf8').catch(() => '');
    if (isGone(mark)) await rm(directory, { recursive: true, force: true });
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
