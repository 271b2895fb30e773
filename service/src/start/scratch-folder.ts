import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CheckpointFolders, makeFolder, type Settings } from '@factorial/backing';
import { type SharedBudget, scratchFolderPrefix } from '@factorial/compute';

type ScratchSettings = Pick<Settings, 'COMPUTE_SCRATCH_BYTES' | 'DATABASE_URL' | 'DATA_DIR' | 'SCRATCH_DIR'>;

/** Where calculations that do not fit into memory keep their scratch files: `SCRATCH_DIR`, or a folder in `DATA_DIR`. */
export function scratchFolder({ DATA_DIR, SCRATCH_DIR }: Pick<Settings, 'DATA_DIR' | 'SCRATCH_DIR'>): string {
  return resolve(SCRATCH_DIR ?? join(DATA_DIR, 'scratch'));
}

/** Where long calculations keep what is finished; undefined without scratch. */
export function checkpointFolders(
  settings: ScratchSettings & Pick<Settings, 'CHECKPOINT_FROM_SECONDS'>,
  sharedBudget: SharedBudget,
): CheckpointFolders | undefined {
  const { COMPUTE_SCRATCH_BYTES: scratchBytes, CHECKPOINT_FROM_SECONDS: fromSeconds } = settings;
  return scratchBytes === 0
    ? undefined
    : new CheckpointFolders({ directory: scratchFolder(settings), fromSeconds, scratchBytes, sharedBudget });
}

/**
 * Make the scratch folder, and remove what killed runs left in it, but for their checkpoints, where no other process can be working there: in the
 * `DATA_DIR` that the embedded metadata store holds alone.
 */
export async function prepareScratchFolder(settings: ScratchSettings): Promise<void> {
  if (settings.COMPUTE_SCRATCH_BYTES === 0) return;
  const folder = scratchFolder(settings);
  makeFolder(folder);
  if (settings.SCRATCH_DIR !== undefined || settings.DATABASE_URL !== undefined) return;
  for (const name of await readdir(folder)) {
    if (name.startsWith(scratchFolderPrefix)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
