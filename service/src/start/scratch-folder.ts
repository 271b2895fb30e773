import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Settings } from '@factorial/backing';
import { scratchFolderPrefix } from '@factorial/compute';

type ScratchSettings = Pick<Settings, 'COMPUTE_SCRATCH_BYTES' | 'DATABASE_URL' | 'DATA_DIR' | 'SCRATCH_DIR'>;

/** Where calculations that do not fit into memory keep their scratch files: `SCRATCH_DIR`, or a folder in `DATA_DIR`. */
export function scratchFolder({ DATA_DIR, SCRATCH_DIR }: Pick<Settings, 'DATA_DIR' | 'SCRATCH_DIR'>): string {
  return resolve(SCRATCH_DIR ?? join(DATA_DIR, 'scratch'));
}

/**
 * Make the scratch folder, and remove what killed runs left in it where no other process can be working there: in the
 * `DATA_DIR` that the embedded metadata store holds alone.
 */
export async function prepareScratchFolder(settings: ScratchSettings): Promise<void> {
  if (settings.COMPUTE_SCRATCH_BYTES === 0) return;
  const folder = scratchFolder(settings);
  await mkdir(folder, { recursive: true });
  if (settings.SCRATCH_DIR !== undefined || settings.DATABASE_URL !== undefined) return;
  for (const name of await readdir(folder)) {
    if (name.startsWith(scratchFolderPrefix)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
