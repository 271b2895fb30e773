import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePackages } from './packages.ts';
import { freePortRun } from './ports.ts';
import { type RunningServer, serverDirectory, startServer } from './server.ts';
import { swiftProxyConfiguration, swiftStorageConfiguration } from './swift-configuration.ts';

export interface LocalSwiftOptions {
  /** Kept by `dispose` when given. */
  readonly directory?: string;
  /** First of four consecutive ports; the S3 endpoint is the first. */
  readonly port?: number;
}

/** A private S3 server: its `url` is the endpoint. It has no bucket yet. */
export interface RunningSwift extends RunningServer {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const storageServers = ['object', 'container', 'account'] as const;
const packages = ['swift-proxy', 'swift-object', 'swift-container', 'swift-account'];
const region = 'us-east-1';
const run = promisify(execFile);

/** Where each kind of server finds the one device: a ring of one replica on this machine. */
const ringProgram = `
import sys
from swift.common.ring import RingBuilder
directory, port = sys.argv[1], int(sys.argv[2])
for index, kind in enumerate(('object', 'container', 'account'), 1):
    builder = RingBuilder(2, 1, 0)
    builder.add_dev({'id': 0, 'region': 1, 'zone': 1, 'ip': '127.0.0.1', 'port': port + index, 'device': 'disk', 'weight': 1.0,
                     'replication_ip': '127.0.0.1', 'replication_port': port + index, 'meta': ''})
    builder.rebalance(seed=1)
    builder.get_ring().save(f'{directory}/{kind}.ring.gz')
`;

/** OpenStack Swift with its S3 interface, all four servers on this machine, path-style addresses only. */
export async function startSwift(options: LocalSwiftOptions = {}): Promise<RunningSwift> {
  await ensurePackages({
    packages,
    isInstalled: () => ['proxy', ...storageServers].every((kind) => existsSync(programOf(kind))),
    alternative: 'TEST_S3_ENDPOINT',
  });
  const directory = await serverDirectory('swift', options.directory);
  const port = options.port ?? (await freePortRun(storageServers.length + 1));
  await writeConfiguration(directory.path, port);
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: 'swift',
    url,
    directory,
    processes: [...storageServers, 'proxy'].map((kind) => ({
      command: programOf(kind),
      arguments: [join(directory.path, `${kind}-server.conf`)],
    })),
    probe: () => probe(url, port),
    readyTimeoutMs: 60_000,
  });
  return Object.assign(server, { region, accessKeyId: 'test:tester', secretAccessKey: 'testing' });
}

function programOf(kind: string): string {
  return `/usr/bin/swift-${kind}-server`;
}

async function writeConfiguration(directory: string, port: number): Promise<void> {
  await mkdir(join(directory, 'devices', 'disk'), { recursive: true });
  const place = { directory, user: userInfo().username };
  const files = {
    'swift.conf':
      '[swift-hash]\nswift_hash_path_suffix = local\nswift_hash_path_prefix = local\n[storage-policy:0]\nname = gold\ndefault = yes\n',
    'proxy-server.conf': swiftProxyConfiguration({ ...place, port, region }),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  for (const [index, kind] of storageServers.entries()) {
    const content = swiftStorageConfiguration({ ...place, port: port + 1 + index, kind });
    await writeFile(join(directory, `${kind}-server.conf`), content);
  }
  await run('/usr/bin/python3', ['-c', ringProgram, directory, String(port)], { timeout: 30_000 });
}

/** The proxy answers first; a storage server that is still starting would turn the first requests into 503. */
async function probe(url: string, port: number): Promise<void> {
  const signal = AbortSignal.timeout(2_000);
  const proxy = await fetch(`${url}/healthcheck`, { signal });
  await proxy.body?.cancel();
  for (const index of storageServers.keys()) {
    const storage = await fetch(`http://127.0.0.1:${port + 1 + index}/recon/version`, { signal });
    await storage.body?.cancel();
  }
}
