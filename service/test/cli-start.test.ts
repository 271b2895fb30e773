import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { computeTinyFactorial } from '@factorial/compute';
import { afterAll, expect, test } from 'vitest';

const bundle = fileURLToPath(new URL('../dist/bundle/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'factorial-cli-start-'));
afterAll(() => rmSync(folder, { recursive: true }));

const recorder = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context); } });`)}`;

/** What the command line printed, and the addresses of all modules that its own thread loaded. */
function runCli(...args: string[]): {
  readonly status: number | null;
  readonly out: string;
  readonly modules: string[];
} {
  const child = spawnSync(process.execPath, ['--import', recorder, bundle, ...args], { encoding: 'utf8' });
  return { status: child.status, out: child.stdout, modules: child.stderr.trim().split('\n') };
}

test('a calculation loads the bundle and nothing else: no package, no module of dist', () => {
  const { status, out, modules } = runCli('1000', '--quiet');
  expect(status).toBe(0);
  expect(out).toBe(new TextDecoder().decode(computeTinyFactorial(1000)));
  const files = modules.filter((url) => url.startsWith('file:'));
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((url) => !url.includes('/service/dist/bundle/'))).toEqual([]);
  expect(files.length).toBeLessThanOrEqual(12);
});

test('with threads the digits are the same, written by the bundle’s own tasks', () => {
  const path = join(folder, 'digits');
  const alone = runCli('400000', '--json');
  const threaded = runCli('2000000', '--out', path, '--threads', '2', '--json');
  expect(JSON.parse(alone.out)).toMatchObject({ threads: 1, verified: true });
  expect(JSON.parse(threaded.out)).toMatchObject({ threads: 2, verified: true });
  expect(readFileSync(path).length).toBe(Number(JSON.parse(threaded.out).digits));
  expect(existsSync(fileURLToPath(new URL('../dist/bundle/product-task.js', import.meta.url)))).toBe(true);
});

test('what is wrong with the arguments is told apart from failures, in the bundle too', () => {
  expect(runCli('-1').status).toBe(2);
  expect(runCli('5', '--out', join(folder, 'no', 'such')).status).toBe(2);
  expect(runCli('prune').status).toBe(2);
  expect(runCli('verify', join(folder, 'nothing'), '--n', '5').status).toBe(2);
  expect(runCli('--version').out).toMatch(/^\d+\.\d+\.\d+\n$/);
});
