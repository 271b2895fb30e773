// Checks charts, Dockerfile and compose file: `node charts/test/run.mjs [name of a test file …]` on Node 24, after a build of the
// project. Installs its own lockfile when that changed. The last line counts; the exit code is 0 when nothing failed.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { testFolder } from './paths.mjs';

const stampPath = join(testFolder, 'node_modules', '.installed-lockfile');

function installWhenChanged() {
  const stamp = createHash('sha256')
    .update(readFileSync(join(testFolder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return;
  process.stderr.write('Installing what the chart tests need (once; locked by charts/test/package-lock.json) …\n');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: testFolder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  writeFileSync(stampPath, stamp);
}

function testFiles(names) {
  const all = readdirSync(testFolder).filter((name) => name.endsWith('.test.mjs'));
  const chosen = names.length === 0 ? all : all.filter((file) => names.some((name) => file.includes(name)));
  if (chosen.length === 0) throw new Error(`expected the name of a test file, got ${names.join(', ')}`);
  return chosen.map((file) => join(testFolder, file));
}

/** Run the files, print what happens, and count the tests (a skipped one as failed). */
function runFiles(files) {
  return new Promise((resolve, reject) => {
    const counts = { passed: 0, failed: 0 };
    const events = run({ files, concurrency: 2, timeout: 900_000 });
    events.on('test:pass', (event) => {
      if (event.details.type === 'suite') return;
      counts[event.skip === undefined && event.todo === undefined ? 'passed' : 'failed'] += 1;
    });
    events.on('test:fail', (event) => {
      if (event.details.type !== 'suite') counts.failed += 1;
    });
    events.once('error', reject);
    events.once('end', () => resolve(counts));
    events.compose(new spec()).pipe(process.stdout);
  });
}

let counts = { passed: 0, failed: 1 };
try {
  installWhenChanged();
  counts = await runFiles(testFiles(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`the chart tests did not run to their end: ${error.message}\n`);
}
process.exitCode = counts.failed === 0 ? 0 : 1;
process.on('exit', () => process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`));
