import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePackages } from './packages.ts';
import { freePort } from './ports.ts';
import { type RunningServer, serverDirectory, startServer } from './server.ts';
import { copyTlsFiles, type TlsFiles } from './tls-files.ts';

export interface LocalMariadbOptions {
  /** Kept by `dispose` when given. The system user `mysql` must be able to enter its parents. */
  readonly directory?: string;
  readonly port?: number;
  /** PEM files; encrypted connections are accepted with them. */
  readonly tls?: TlsFiles;
}

const run = promisify(execFile);
const program = '/usr/sbin/mariadbd';
const installer = '/usr/bin/mariadb-install-db';
const admin = '/usr/bin/mariadb-admin';

/**
 * A private MariaDB, Debian's MySQL, whose root needs no password on 127.0.0.1. It refuses to run as root: then the user is `mysql`.
 * Commits reach the operating system, not the disk: safe against a killed server, not against a power failure.
 */
export async function startMariadb(options: LocalMariadbOptions = {}): Promise<RunningServer> {
  await ensurePackages({
    packages: ['mariadb-server'],
    isInstalled: () => [program, installer, admin].every((file) => existsSync(file)),
    alternative: 'TEST_MYSQL_URL',
  });
  const user = process.getuid?.() === 0 ? 'mysql' : undefined;
  const directory = await serverDirectory('mariadb', options.directory);
  const data = join(directory.path, 'data');
  const port = options.port ?? (await freePort());
  // Its own: servers that start at once remove each other's temporary tables from a shared one.
  const temporary = join(directory.path, 'tmp');
  if (!existsSync(join(data, 'mysql'))) await initialise(directory.path, data, temporary, user);
  const settings = {
    datadir: data,
    tmpdir: temporary,
    port,
    'bind-address': '127.0.0.1',
    socket: join(data, 'mariadb.sock'),
    'pid-file': join(data, 'mariadb.pid'),
    'skip-name-resolve': 'on',
    'innodb-buffer-pool-size': '64M',
    'innodb-log-file-size': '16M',
    'innodb-flush-log-at-trx-commit': 2,
    'performance-schema': 'off',
    ...(await tlsSettings(options.tls, directory.path, user)),
  };
  return await startServer({
    name: 'mariadb',
    url: `mysql://root@127.0.0.1:${port}/mysql`,
    directory,
    processes: [
      {
        command: program,
        arguments: ['--no-defaults', ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`)],
        ...(user === undefined ? {} : { user }),
      },
    ],
    probe: async () => {
      const target = ['--host=127.0.0.1', `--port=${port}`, '--user=root', '--connect-timeout=1'];
      await run(admin, ['--no-defaults', ...target, 'ping']);
    },
  });
}

async function initialise(parent: string, data: string, temporary: string, user: string | undefined): Promise<void> {
  for (const folder of [data, temporary]) await mkdir(folder, { recursive: true });
  if (user !== undefined) {
    await chmod(parent, 0o711);
    await run('chown', [`${user}:${user}`, data, temporary]);
  }
  const asUser = user === undefined ? [] : [`--user=${user}`];
  const choices = ['--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve'];
  await run(installer, ['--no-defaults', `--datadir=${data}`, ...asUser, ...choices, '--innodb-log-file-size=16M'], {
    cwd: parent,
    env: { ...process.env, TMPDIR: temporary },
  });
}

async function tlsSettings(tls: TlsFiles | undefined, directory: string, user: string | undefined) {
  if (tls === undefined) return {};
  const { certFile, keyFile } = await copyTlsFiles(tls, directory, user);
  return { 'ssl-cert': certFile, 'ssl-key': keyFile };
}
