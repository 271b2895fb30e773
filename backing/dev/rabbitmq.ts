import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePackages } from './packages.ts';
import { freePorts } from './ports.ts';
import { type RunningServer, serverDirectory, startServer } from './server.ts';

export interface LocalRabbitmqOptions {
  /** Kept by `dispose` when given. */
  readonly directory?: string;
  readonly port?: number;
}

/** A private broker, and its command line tool. */
export interface RunningRabbitmq extends RunningServer {
  /** Run `rabbitmqctl` against this broker; resolves to what it printed. */
  control(...argumentsOfControl: readonly string[]): Promise<string>;
}

const programs = '/usr/lib/rabbitmq/bin';
const portMapper = '/usr/bin/epmd';
const controlTimeoutMs = 60_000;
const run = promisify(execFile);

/** A private RabbitMQ with a port mapper of its own, so that it neither meets nor leaves behind one of the machine. */
export async function startRabbitmq(options: LocalRabbitmqOptions = {}): Promise<RunningRabbitmq> {
  await ensurePackages({
    packages: ['rabbitmq-server'],
    isInstalled: () => existsSync(`${programs}/rabbitmq-server`) && existsSync(portMapper),
    alternative: 'TEST_AMQP_URL',
  });
  const directory = await serverDirectory('rabbitmq', options.directory);
  const [freePort = 0, distributionPort = 0, mapperPort = 0] = await freePorts(3);
  const port = options.port ?? freePort;
  await writeConfiguration(directory.path, port);
  const environment = environmentOf(directory.path, port, distributionPort, mapperPort);
  const server = await startServer({
    name: 'rabbitmq',
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    directory,
    processes: [
      // In the foreground, as a child: started by the broker it would outlive it.
      { command: portMapper, arguments: ['-port', String(mapperPort), '-address', '127.0.0.1'], environment },
      { command: `${programs}/rabbitmq-server`, arguments: [], environment },
    ],
    probe: () => probeAmqp(port),
    readyTimeoutMs: 90_000,
    stopTimeoutMs: 20_000,
  });
  return Object.assign(server, {
    control: async (...argumentsOfControl: readonly string[]) => {
      const parameters = ['--quiet', '--node', environment.RABBITMQ_NODENAME, ...argumentsOfControl];
      const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', ...environment };
      return (await run(`${programs}/rabbitmqctl`, parameters, { env, timeout: controlTimeoutMs })).stdout;
    },
  });
}

async function writeConfiguration(directory: string, port: number): Promise<void> {
  for (const folder of ['home', 'data', 'log', 'config']) await mkdir(join(directory, folder), { recursive: true });
  const settings = [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    'vm_memory_high_watermark.absolute = 512MB',
    'disk_free_limit.absolute = 50MB',
    'log.console = true',
    'log.console.level = warning',
    'log.file = false',
  ];
  await writeFile(join(directory, 'rabbitmq.conf'), `${settings.join('\n')}\n`);
  await writeFile(join(directory, 'enabled_plugins'), '[].\n');
}

function environmentOf(directory: string, port: number, distributionPort: number, mapperPort: number) {
  return {
    HOME: join(directory, 'home'),
    ERL_EPMD_PORT: String(mapperPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: 'factorial@localhost',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: join(directory, 'data'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_CONFIG_FILE: join(directory, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'enabled_plugins'),
    RABBITMQ_GENERATED_CONFIG_DIR: join(directory, 'config'),
    RABBITMQ_PID_FILE: join(directory, 'rabbitmq.pid'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    // Schedulers that do not spin while they wait: a broker at rest leaves the cores to the calculations.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+sbwt none +sbwtdcpu none +sbwtdio none',
    // The start script then becomes the Erlang machine itself, which takes SIGTERM as an orderly stop.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}

/** The broker listens before it is ready in full; it answers a protocol header with `connection.start` when it is. */
function probeAmqp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 2_000 }, () => socket.write('AMQP\x00\x00\x09\x01'));
    socket.once('data', (answer) => {
      socket.destroy();
      if (answer[0] === 1) resolve();
      else reject(new Error(`expected a method frame, got byte ${answer[0]}`));
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer to a protocol header within 2,000 ms')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed before an answer to a protocol header')));
  });
}
