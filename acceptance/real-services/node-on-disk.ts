import { chmod, writeFile } from 'node:fs/promises';

/** Where the disk is mounted, and what stands in for Node. */
export interface NodeOnDisk {
  /** Path of the program to make. */
  readonly program: string;
  /** Folder that the disk is mounted on, for this process and its children alone. */
  readonly path: string;
  readonly bytes: number;
}

/** Makes a program that is this Node with a small disk of its own, in one process: others see the disk under `/proc/<pid>/root`. */
export async function nodeOnDisk({ program, path, bytes }: NodeOnDisk): Promise<string> {
  const mounted = `mount -t tmpfs -o size=${bytes} none "${path}" && exec "$0" "$@"`;
  const script = `#!/bin/sh\nexec unshare --map-root-user --mount sh -c '${mounted}' "${process.execPath}" "$@"\n`;
  await writeFile(program, script);
  await chmod(program, 0o755);
  return program;
}
