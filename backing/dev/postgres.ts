import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePackages } from './packages.ts';
import { freePort } from './ports.ts';
import { type RunningServer, serverDirectory, startServer } from './server.ts';
import { copyTlsFiles, type TlsFiles } from './tls-files.ts';

export interface LocalPostgresOptions {
  /** Kept by `dispose` when given. The system user `postgres` must be able to enter its parents. */
  readonly directory?: string;
  readonly port?: number;
  /** Write to disk without waiting for it: quicker, and safe against a killed server, not against a power failure. Default true. */
  readonly skipFsync?: boolean;
  /** PEM files; encrypted connections are accepted with them. */
  readonly tls?: TlsFiles;
}

const run = promisify(execFile);
const versionsDirectory = '/usr/lib/postgresql';

/** A private PostgreSQL that trusts whoever reaches it on 127.0.0.1. It refuses to run as root: then the user is `postgres`. */
export async function startPostgres(options: LocalPostgresOptions = {}): Promise<RunningServer> {
  await ensurePackages({
    packages: ['postgresql'],
    isInstalled: () => newestBinDirectory() !== undefined,
    alternative: 'TEST_DATABASE_URL',
  });
  const binDirectory = newestBinDirectory() ?? versionsDirectory;
  const user = process.getuid?.() === 0 ? 'postgres' : undefined;
  const directory = await serverDirectory('postgres', options.directory);
  const data = join(directory.path, 'data');
  const port = options.port ?? (await freePort());
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise(binDirectory, directory.path, data, user);
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    fsync: (options.skipFsync ?? true) ? 'off' : 'on',
    full_page_writes: (options.skipFsync ?? true) ? 'off' : 'on',
    shared_buffers: '32MB',
    max_connections: 100,
    ...(await tlsSettings(options.tls, directory.path, user)),
  };
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return await startServer({
    name: 'postgres',
    url,
    directory,
    processes: [
      {
        command: join(binDirectory, 'postgres'),
        arguments: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
        ...(user === undefined ? {} : { user }),
      },
    ],
    // Ends open connections; the default waits for them.
    stopSignal: 'SIGINT',
    probe: async () => {
      await run(join(binDirectory, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)]);
    },
  });
}

async function tlsSettings(tls: TlsFiles | undefined, directory: string, user: string | undefined) {
  if (tls === undefined) return {};
  const { certFile, keyFile } = await copyTlsFiles(tls, directory, user);
  return { ssl: 'on', ssl_cert_file: certFile, ssl_key_file: keyFile };
}

function newestBinDirectory(): string | undefined {
  if (!existsSync(versionsDirectory)) return undefined;
  return readdirSync(versionsDirectory)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(versionsDirectory, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')) && existsSync(join(bin, 'postgres')));
}

async function initialise(binDirectory: string, parent: string, data: string, user: string | undefined): Promise<void> {
  const asUser = user === undefined ? [] : ['setpriv', '--reuid', user, '--regid', user, '--init-groups'];
  await mkdir(data, { recursive: true });
  if (user !== undefined) {
    await chmod(parent, 0o711);
    await run('chown', [`${user}:${user}`, data]);
    await run('setpriv', ['--reuid', user, '--regid', user, '--init-groups', 'test', '-w', data]).catch(
      (fault: unknown) => {
        throw new Error(
          `expected ${data} to be within reach of the user ${user}, got a parent that is not: choose a directory under /tmp`,
          {
            cause: fault,
          },
        );
      },
    );
  }
  const initdb = [
    join(binDirectory, 'initdb'),
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--no-locale',
    '--no-sync',
  ];
  const [command = '', ...rest] = [...asUser, ...initdb];
  await run(command, rest, { cwd: parent });
}
