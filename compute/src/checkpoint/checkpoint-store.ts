import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, ScratchError } from '../errors.ts';
import { type LimbStore, StoreLedger } from '../limbs/limb-store.ts';
import { freeScratchBytes } from '../limbs/scratch-store.ts';
import { type StoredBlob, translateScratchError } from '../limbs/stored-blob.ts';
import { livingOwner, ownerFileName, writeOwner } from './folder-owner.ts';

/** Files that belong to a checkpoint, and no others, are ever removed. */
const ownNames = /^(blob-[\w-]+|owner|checkpoint\.json(\.new)?|step\.jsonl)$/;

/**
 * Scratch files that outlive the process: the folder stays when the store is disposed, unless `finish` was called. One process at a time owns a
 * folder; that of a process that is gone may be taken over.
 */
export class CheckpointStore implements LimbStore {
  readonly directory: string;
  readonly #ledger: StoreLedger;
  /** Distinguishes this process's files from those it found. */
  readonly #prefix = `blob-${randomUUID().slice(0, 8)}`;
  #made = 0;
  #finished = false;

  private constructor(directory: string, capacityBytes: number) {
    this.directory = directory;
    this.#ledger = new StoreLedger(capacityBytes);
  }

  /** Makes the folder if needed. `InputError` when a living process works in it, `ScratchError` when it cannot be used. */
  static async open(directory: string, capacityBytes: number): Promise<CheckpointStore> {
    try {
      await mkdir(directory, { recursive: true });
      await takeOver(directory);
    } catch (error) {
      throw translateScratchError(error, 'make');
    }
    return new CheckpointStore(directory, capacityBytes);
  }

  get usedBytes(): number {
    return this.#ledger.usedBytes;
  }

  get peakBytes(): number {
    return this.#ledger.peakBytes;
  }

  /** A file that an earlier process left, as a blob; undefined when it is not there or not as long as it should be. */
  async adopt(file: string, bytes: number): Promise<StoredBlob | undefined> {
    const path = join(this.directory, file);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() !== true || found.size !== bytes) return undefined;
    return this.#ledger.add({ location: { kind: 'scratch', path }, bytes });
  }

  /** Removes this folder's blobs that are none of these. */
  async removeOthers(files: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.directory)) {
      if (name.startsWith('blob-') && !files.has(name)) await rm(join(this.directory, name), { force: true });
    }
  }

  async create(label: string, bytes: number): Promise<StoredBlob> {
    this.#ledger.assertRoom(bytes);
    const path = join(this.directory, `${this.#prefix}-${++this.#made}-${label}`);
    try {
      if ((await freeScratchBytes(this.directory)) < bytes) {
        throw new ScratchError(`expected ${bytes} free bytes in ${this.directory}`, { code: 'scratch-full' });
      }
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
    if (blob.location.kind === 'scratch') await truncate(blob.location.path, bytes);
    return this.#ledger.add({ location: blob.location, bytes });
  }

  async remove(blob: StoredBlob): Promise<void> {
    if (!this.#ledger.delete(blob) || blob.location.kind !== 'scratch') return;
    await rm(blob.location.path, { force: true });
  }

  /** The result was taken: nothing is to be resumed. */
  finish(): void {
    this.#finished = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const names = await readdir(this.directory).catch(() => []);
    for (const name of names) {
      const own = this.#finished ? ownNames.test(name) : name === ownerFileName;
      if (own) await rm(join(this.directory, name), { force: true });
    }
  }
}

async function takeOver(directory: string): Promise<void> {
  const owner = await livingOwner(directory);
  if (owner !== undefined) {
    throw new InputError('a checkpoint folder that nobody works in', `${directory}, in use by process ${owner}`);
  }
  await writeOwner(directory);
}
