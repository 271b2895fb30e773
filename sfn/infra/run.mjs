// `node sfn/infra/run.mjs synth|test`: installs this package when its lockfile changed, then writes the CloudFormation
// template to build/cdk.out, or runs the assertions on it. Needs Node 24; needs no network once installed, and no account.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run as runTests } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const buildFolder = join(here, 'build');
const stampPath = join(here, 'node_modules', '.lockfile-sha256');

function installWhenNeeded() {
  const stamp = createHash('sha256')
    .update(readFileSync(join(here, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return;
  process.stderr.write('Installing the dependencies of sfn/infra (once; they are locked by its package-lock.json) …\n');
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', args, {
    cwd: here,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with code ${status}`);
  writeFileSync(stampPath, stamp);
}

async function synth() {
  const { synthesise } = await import('./src/app.ts');
  mkdirSync(buildFolder, { recursive: true });
  const { templateFile, seconds } = await synthesise({ outputFolder: join(buildFolder, 'cdk.out'), context: {} });
  process.stdout.write(`${templateFile} (${seconds.toFixed(1)} s)\n`);
  return 0;
}

async function test() {
  const counts = { passed: 0, failed: 0 };
  const files = ['stack.test.ts', 'functions.test.ts'].map((name) => join(here, 'test', name));
  const events = runTests({ files, concurrency: 1, timeout: 300_000 });
  events.on('test:pass', ({ details, skip, todo }) => {
    if (details.type === 'suite') return;
    counts[skip || todo ? 'failed' : 'passed'] += 1;
  });
  // A suite fails with its tests; by itself only when a hook of it failed, and then its tests are cancelled and counted.
  events.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') counts.failed += 1;
  });
  const report = events.compose(spec);
  for await (const text of report) process.stdout.write(text);
  if (counts.passed === 0) counts.failed += 1;
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  return counts.failed === 0 ? 0 : 1;
}

const commands = { synth, test };
try {
  const [name = ''] = process.argv.slice(2);
  if (!Object.hasOwn(commands, name))
    throw new Error(`expected one of ${Object.keys(commands).join(', ')}, got ${name || 'nothing'}`);
  if (Number(process.versions.node.split('.')[0]) < 24)
    throw new Error(`expected Node 24 or newer, got ${process.version}`);
  installWhenNeeded();
  process.exitCode = await commands[name]();
} catch (error) {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
}
