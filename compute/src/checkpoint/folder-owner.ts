import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runningSince } from '../limbs/running-process.ts';

/** Name of the file that says which process works in a checkpoint folder. */
export const ownerFileName = 'owner';

/** The process that works in this folder, alive as far as this machine knows; undefined when there is none. */
export async function livingOwner(directory: string): Promise<number | undefined> {
  const text = await readFile(join(directory, ownerFileName), 'utf8').catch(() => '');
  const [pid = 0, started] = text.split(' ').map(Number);
  const startedNow = pid > 0 ? runningSince(pid) : undefined;
  if (startedNow === undefined) return undefined;
  // In containers the next process often has the number of the one before.
  return started === undefined || startedNow === '' || started === Number(startedNow) ? pid : undefined;
}

/** Whether a living process works in this checkpoint folder: nobody else may then use or remove it. */
export async function isCheckpointInUse(directory: string): Promise<boolean> {
  return (await livingOwner(directory)) !== undefined;
}

export async function writeOwner(directory: string): Promise<void> {
  await writeFile(join(directory, ownerFileName), `${process.pid} ${runningSince(process.pid) ?? ''}`.trimEnd());
}
