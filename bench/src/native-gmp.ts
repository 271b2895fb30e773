import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Builds native/factorial-gmp.c into the folder, with gcc and Debian's libgmp-dev; the program's path. Arguments: n and a file. */
export function buildNativeGmp(folder: string): string {
  const program = join(folder, 'factorial-gmp');
  const source = fileURLToPath(new URL('../native/factorial-gmp.c', import.meta.url));
  execFileSync('gcc', ['-O2', '-o', program, source, '-lgmp'], { stdio: 'inherit' });
  return program;
}
