import { execFile } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Paths of a server's certificate and its key, PEM. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

const run = promisify(execFile);

/** Copies in the server's own directory, of its user, the key readable by that user alone: servers refuse any other. */
export async function copyTlsFiles(files: TlsFiles, directory: string, user: string | undefined): Promise<TlsFiles> {
  const own = { certFile: join(directory, 'server.pem'), keyFile: join(directory, 'server.key') };
  await copyFile(files.certFile, own.certFile);
  await copyFile(files.keyFile, own.keyFile);
  await run('chmod', ['600', own.keyFile]);
  if (user !== undefined) await run('chown', [`${user}:${user}`, own.certFile, own.keyFile]);
  return own;
}
