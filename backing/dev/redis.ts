import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { ensurePackages } from './packages.ts';
import { freePort } from './ports.ts';
import { type RunningServer, serverDirectory, startServer } from './server.ts';

export interface LocalRedisOptions {
  /** Kept by `dispose` when given. */
  readonly directory?: string;
  readonly port?: number;
  /** Default 64 MiB. 0 sets no limit. */
  readonly maxMemoryBytes?: number;
  /** Default `allkeys-lru`. */
  readonly evictionPolicy?: string;
}

const program = '/usr/bin/redis-server';

/** A private Redis (or Valkey under its name): a cache, so nothing is saved to disk. */
export async function startRedis(options: LocalRedisOptions = {}): Promise<RunningServer> {
  await ensurePackages({
    packages: ['redis-server'],
    isInstalled: () => existsSync(program),
    alternative: 'TEST_REDIS_URL',
  });
  const directory = await serverDirectory('redis', options.directory);
  const port = options.port ?? (await freePort());
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: directory.path,
    save: '',
    appendonly: 'no',
    maxmemory: options.maxMemoryBytes ?? 2 ** 26,
    'maxmemory-policy': options.evictionPolicy ?? 'allkeys-lru',
  };
  return await startServer({
    name: 'redis',
    url: `redis://127.0.0.1:${port}`,
    directory,
    processes: [
      {
        command: program,
        arguments: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
      },
    ],
    probe: () => pingRedis(port),
  });
}

function pingRedis(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 }, () => socket.write('PING\r\n'));
    socket.once('data', (answer) => {
      socket.destroy();
      if (answer.toString('latin1').startsWith('+PONG')) resolve();
      else reject(new Error(`expected +PONG, got ${answer.toString('latin1')}`));
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer to PING within 1,000 ms')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed before an answer to PING')));
  });
}
