// Everything `npm test` checks, in order: lint and format, types of the tests, then every test. The last line counts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { nodeBinary, root, run } from './bootstrap.mjs';

const filters = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'factorial-test-'));
const report = join(folder, 'vitest.json');
const counts = { passed: 0, failed: 0, skipped: 0 };

async function check(name, args) {
  const ok = (await run(nodeBinary(), args)) === 0;
  counts[ok ? 'passed' : 'failed'] += 1;
  process.stdout.write(`${ok ? 'passed' : 'FAILED'}: ${name}\n`);
  return ok;
}

/** Suites with packages and lockfiles of their own, outside the workspaces. Each ends with a line that counts. */
const ownSuites = [['charts/test/run.mjs'], ['sfn/infra/run.mjs', 'test']];

async function suite(args) {
  let output = '';
  const code = await run(nodeBinary(), args, { stdio: ['ignore', 'pipe', 'inherit'] }, (child) => {
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk);
      output = (output + chunk).slice(-10_000);
    });
  });
  const [, passed, failed] = /(\d+) passed, (\d+) failed\s*$/.exec(output) ?? [];
  counts.passed += Number(passed ?? 0);
  counts.failed += Number(failed ?? 0);
  // A suite that could not count, or that ended badly without a failed test, is a failure.
  if (passed === undefined || (code !== 0 && failed === '0')) counts.failed += 1;
}

try {
  if (filters.length === 0) {
    await check('lint and format', ['scripts/lint.mjs', 'check']);
    await check('types of the tests', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json']);
  }
  if (filters.length === 0) for (const args of ownSuites) await suite(args);
  const code = await run(nodeBinary(), [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ]);
  const totals = JSON.parse(readFileSync(report, 'utf8'));
  counts.passed += totals.numPassedTests;
  counts.failed += totals.numFailedTests;
  counts.skipped += totals.numPendingTests + totals.numTodoTests;
  for (const { name, message } of totals.testResults.filter(({ message }) => message)) {
    process.stdout.write(`could not run ${relative(root, name)}: ${message.split('\n', 1)[0]}\n`);
  }
  // A file that cannot be loaded, or an error outside any test, is a failure although no test of it is counted.
  if (code !== 0 && totals.numFailedTests === 0) counts.failed += 1;
} catch (error) {
  process.stderr.write(`the tests did not run to their end: ${error.message}\n`);
  counts.failed += 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

if (counts.skipped > 0)
  process.stdout.write(`${counts.skipped} tests were skipped: a skipped test counts as failed here\n`);
process.stdout.write(`${counts.passed} passed, ${counts.failed + counts.skipped} failed\n`);
process.exitCode = counts.failed + counts.skipped === 0 ? 0 : 1;
