import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface PackageNeed {
  /** Debian packages to install together. */
  readonly packages: readonly string[];
  /** Whether what they bring is there already. */
  isInstalled(): boolean;
  /** The environment variable that names a server to use instead, such as `TEST_DATABASE_URL`. */
  readonly alternative: string;
}

/** Neither is the package installed nor can it be: names it, and the variable that would do instead. */
export class MissingPackageError extends Error {
  readonly code = 'missing-package';

  constructor(need: PackageNeed, why: string) {
    super(
      `expected the Debian packages ${need.packages.join(' ')}, got none: ${why}. ` +
        `Install them, or set ${need.alternative} to the URL of a running server (tests that kill their server take none)`,
    );
    this.name = 'MissingPackageError';
  }
}

const run = promisify(execFile);
const lockFile = join(tmpdir(), 'factorial-apt.lock');
const lockWaitSeconds = 300;
const aptTimeoutMs = 600_000;

/** Install what is missing, once: other runs wait on a lock meanwhile, and one that finds everything there does nothing. */
export async function ensurePackages(need: PackageNeed): Promise<void> {
  if (need.isInstalled()) return;
  if (!existsSync('/usr/bin/apt-get')) throw new MissingPackageError(need, 'there is no apt-get on this machine');
  if (process.getuid?.() !== 0) throw new MissingPackageError(need, 'only root may install them');
  try {
    await install(need.packages);
  } catch (fault) {
    throw new MissingPackageError(need, `apt-get failed: ${lastLines(fault)}`);
  }
  if (!need.isInstalled()) throw new MissingPackageError(need, 'apt-get succeeded, yet their files are not there');
}

/** Package lists are fetched only when the packages cannot be had with the lists at hand. */
async function install(packages: readonly string[]): Promise<void> {
  const installArguments = ['install', '--yes', '--no-install-recommends', ...packages];
  try {
    await aptGet(installArguments);
  } catch (fault) {
    await aptGet(['update']).catch((updateFault: unknown) => {
      throw new AggregateError([fault, updateFault], `${lastLines(fault)}; ${lastLines(updateFault)}`);
    });
    await aptGet(installArguments);
  }
}

/** The lock is the kernel's on an open file: it ends with the process, however that ends. */
async function aptGet(argumentsOfApt: readonly string[]): Promise<void> {
  const lock = ['-w', String(lockWaitSeconds), lockFile];
  const apt = ['apt-get', '-o', `DPkg::Lock::Timeout=${lockWaitSeconds}`, ...argumentsOfApt];
  await run('flock', [...lock, ...apt], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: aptTimeoutMs,
    maxBuffer: 2 ** 24,
  });
}

function lastLines(fault: unknown): string {
  const text = fault instanceof Error && 'stderr' in fault && fault.stderr ? String(fault.stderr) : String(fault);
  return text.trim().split('\n').slice(-3).join(' ');
}
