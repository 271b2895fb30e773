import { access, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkpointFileName, type FactorialPlan, isCheckpointInUse, type SharedBudget } from '@factorial/compute';
import type { MetadataStore } from '../metadata/metadata-store.ts';

/** Start of the name of every checkpoint folder; n and the attempt follow. */
const folderPrefix = 'factorial-checkpoint-';
const namePattern = /^factorial-checkpoint-(\d{1,19})-(\d{1,10})$/;

export interface CheckpointFoldersOptions {
  /** Where scratch files go on this machine. */
  readonly directory: string;
  /** Runs estimated to take longer keep checkpoints. */
  readonly fromSeconds: number;
  /** What scratch files and checkpoints may take together. */
  readonly scratchBytes: number;
  /** Knows what the scratch files of running calculations take. */
  readonly sharedBudget: Pick<SharedBudget, 'taken'>;
}

/** A run, as its checkpoint is named after it. */
export interface CheckpointedRun {
  readonly n: bigint;
  readonly attempt: number;
}

/** Where one run keeps its finished steps. */
export interface CheckpointFolder {
  readonly path: string;
  /** Something is there to go on from, if it is intact. */
  readonly resumes: boolean;
}

interface Leftover extends CheckpointedRun {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/**
 * The checkpoints on this machine, one folder for each n and attempt: a run that is claimed again here, after its process was killed or told to stop, goes
 * on from what is there. Nothing rests on them: they may be removed at any time while nobody works in them, and the oldest are when scratch runs short.
 */
export class CheckpointFolders {
  readonly #options: CheckpointFoldersOptions;

  constructor(options: CheckpointFoldersOptions) {
    this.#options = options;
  }

  /**
   * Make room for the scratch of this run, `untakenBytes` of which are not part of the shared budget yet, and say where its checkpoint is: undefined when it
   * is over too soon to need one, keeps nothing in files, or when another process on this machine still works in its folder (a worker that
   * sleeps beyond its lease).
   */
  async prepare(
    run: CheckpointedRun,
    plan: FactorialPlan,
    untakenBytes: number,
  ): Promise<CheckpointFolder | undefined> {
    if (plan.storage !== 'scratch') return undefined;
    const path = this.#pathOf(run);
    await this.#makeRoom(this.#options.sharedBudget.taken.scratchBytes + untakenBytes, path);
    if (plan.estimatedSeconds <= this.#options.fromSeconds || (await isCheckpointInUse(path))) return undefined;
    const resumes = await access(join(path, checkpointFileName)).then(
      () => true,
      () => false,
    );
    return { path, resumes };
  }

  /** Remove what is left of this run, unless a living process works in it. */
  async remove(run: CheckpointedRun): Promise<void> {
    await removeUnused(this.#pathOf(run));
  }

  /** Remove the checkpoints of rows that are done, failed, gone, or in another attempt. Resolves to how many. */
  async sweep(metadata: Pick<MetadataStore, 'find'>): Promise<number> {
    let removed = 0;
    for (const { n, attempt, path } of await this.#runs()) {
      const row = await metadata.find(n);
      const isWanted = row?.attempt === attempt && (row.status === 'calculating' || row.status === 'uploading');
      if (!isWanted && (await removeUnused(path))) removed += 1;
    }
    return removed;
  }

  /** The oldest checkpoints go until those that nobody works in fit beside the scratch that is taken. */
  async #makeRoom(takenBytes: number, except: string): Promise<void> {
    const others = (await this.#runs()).filter(({ path }) => path !== except);
    const leftovers: Leftover[] = [];
    for (const other of others) if (!(await isCheckpointInUse(other.path))) leftovers.push(await measure(other));
    leftovers.sort((a, b) => a.modifiedMs - b.modifiedMs);
    let leftBytes = leftovers.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { path, bytes } of leftovers) {
      if (leftBytes + takenBytes <= this.#options.scratchBytes) return;
      if (await removeUnused(path)) leftBytes -= bytes;
    }
  }

  async #runs(): Promise<(CheckpointedRun & { readonly path: string })[]> {
    const names = await readdir(this.#options.directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.flatMap((name) => {
      const [, n, attempt] = namePattern.exec(name) ?? [];
      if (n === undefined || attempt === undefined) return [];
      return [{ n: BigInt(n), attempt: Number(attempt), path: join(this.#options.directory, name) }];
    });
  }

  #pathOf({ n, attempt }: CheckpointedRun): string {
    return join(this.#options.directory, `${folderPrefix}${n}-${attempt}`);
  }
}

async function measure(run: CheckpointedRun & { readonly path: string }): Promise<Leftover> {
  let bytes = 0;
  let modifiedMs = 0;
  for (const name of await readdir(run.path).catch(() => [])) {
    const found = await stat(join(run.path, name)).catch(() => undefined);
    bytes += found?.size ?? 0;
    modifiedMs = Math.max(modifiedMs, found?.mtimeMs ?? 0);
  }
  return { ...run, bytes, modifiedMs };
}

async function removeUnused(path: string): Promise<boolean> {
  if (await isCheckpointInUse(path)) return false;
  await rm(path, { recursive: true, force: true });
  return true;
}
