import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Name of the file that says which process works in a checkpoint folder. */
export const ownerFileName = 'owner';

/** The process that works in this folder, alive as far as this machine knows; undefined when there is none. */
export async function livingOwner(directory: string): Promise<number | undefined> {
  const text = await readFile(join(directory, ownerFileName), 'utf8').catch(() => '');
  const [pid = 0, started] = text.split(' ').map(Number);
  if (!(pid > 0) || !isAlive(pid)) return undefined;
  // In containers the next process often has the number of the one before.
  const startedNow = await startTicks(pid);
  return started === undefined || startedNow === undefined || started === startedNow ? pid : undefined;
}

/** Whether a living process works in this checkpoint folder: nobody else may then use or remove it. */
export async function isCheckpointInUse(directory: string): Promise<boolean> {
  return (await livingOwner(directory)) !== undefined;
}

export async function writeOwner(directory: string): Promise<void> {
  const started = await startTicks(process.pid);
  await writeFile(
    join(directory, ownerFileName),
    started === undefined ? `${process.pid}` : `${process.pid} ${started}`,
  );
}

/** A process with this number exists. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process started, in clock ticks since the machine did; undefined where the system does not say. Field 22 of proc(5) stat. */
async function startTicks(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Its second field, the program's name, is in parentheses and may hold anything.
  const ticks = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]);
  return Number.isSafeInteger(ticks) && ticks > 0 ? ticks : undefined;
}
