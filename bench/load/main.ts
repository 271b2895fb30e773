// `npm run test:load`: the service under load on private real servers, bounded to a few minutes. Writes bench/results/load.json.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureCachedGets, measureManyConnections } from './measurements.ts';
import { root, startProcess } from './processes.ts';
import { startServers } from './servers.ts';
import { storm } from './storm.ts';

const stormCount = 5_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** All of it: what takes longer has gone wrong. */
const runMaxMs = 20 * 60_000;
const overdue = setTimeout(() => {
  process.stderr.write(`expected the load run to end within ${runMaxMs / 60_000} minutes: ended by force\n`);
  process.exit(1);
}, runMaxMs);
overdue.unref();

await using stack = new AsyncDisposableStack();
const folder = mkdtempSync(join(tmpdir(), 'factorial-load-'));
stack.defer(() => rmSync(folder, { recursive: true, force: true }));
say('Starting PostgreSQL, RabbitMQ, Redis and Swift …');
const servers = stack.use(await startServers());
const settings = {
  ...servers.settings,
  PORT: '0',
  LOG_LEVEL: 'warn',
  RATE_LIMIT_PER_MINUTE: '0',
  UNFINISHED_MAX_PER_CLIENT: '100000',
  LIST_MAX_LIMIT: '1000',
};
execFileSync(process.execPath, [join(root, 'service/dist/start/migrate.js')], { env: { ...process.env, ...settings } });
const api = stack.use(await startProcess('service/dist/start/api.js', [], settings));
// Small results wait for the S3 server far more than for the processor.
const worker = { ...settings, WORKER_HEALTH_PORT: '0', QUICK_CONCURRENCY: '8' };
for (let count = 0; count < 2; count += 1) stack.use(await startProcess('service/dist/start/worker.js', [], worker));

const cachedUrl = `${api.url}/factorial?number=1000`;
const digits = new Uint8Array(await (await fetch(cachedUrl)).arrayBuffer());
const hit = await fetch(cachedUrl);
if (hit.headers.get('x-cache') !== 'HIT' || digits.length !== 2_568)
  throw new Error('expected 1000! to be a cache hit');
const bytesFile = join(folder, 'digits');
writeFileSync(bytesFile, digits);
const bare = stack.use(await startProcess('bench/load/bare-server.ts', [bytesFile], {}));

/** What is known by now, so that a run that is stopped leaves what it found. */
const result: Record<string, unknown> = {
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim(),
  date: new Date().toISOString(),
};
const record = (name: string, measured: unknown): void => {
  result[name] = measured;
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  writeFileSync(join(root, 'bench/results/load.json'), `${JSON.stringify(result, null, 2)}\n`);
};

record('cachedGets', await measureCachedGets(`${bare.url}/factorial`, cachedUrl, say));
record('manyConnections', await measureManyConnections(api, cachedUrl, say));
const stormed = await storm(api.url, stormCount, say);
record('storm', stormed);
say(
  `storm of ${stormCount}: ${stormed.lost} lost, ${stormed.unfinished} unfinished, accepted in ${stormed.acceptedSeconds.toFixed(1)} s, done in ${stormed.doneSeconds.toFixed(1)} s`,
);
say('Written to bench/results/load.json');
clearTimeout(overdue);
