#!/usr/bin/env node
// Builds assembly/ into build/kernels.wasm (for use) and build/kernels-debug.wasm (ranges asserted, for tests).
// Skips when the sources, this script and the compiler are those of the last build. Run by the root build before tsc; takes about 3 s.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sourceDir = join(root, 'assembly');
const buildDir = join(root, 'build');
const stampPath = join(buildDir, 'kernels.stamp');
const asc = join(dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json')), 'bin', 'asc.js');

const common = [
  'assembly/index.ts',
  '--runtime',
  'stub',
  '--enable',
  'simd,threads',
  '--importMemory',
  '--sharedMemory',
  '--initialMemory',
  '1',
  '--maximumMemory',
  '65536',
  '--memoryBase',
  '1024',
  '--use',
  'abort=',
];
const targets = {
  'kernels.wasm': ['-O3', '--noAssert'],
  'kernels-debug.wasm': ['-O1'],
};

function sourceHash() {
  const hash = createHash('sha256');
  const files = readdirSync(sourceDir)
    .filter((name) => name.endsWith('.ts'))
    .sort();
  for (const name of files)
    hash
      .update(name)
      .update('\0')
      .update(readFileSync(join(sourceDir, name)));
  hash
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .update(readFileSync(join(dirname(asc), '..', 'package.json')));
  return hash.digest('hex');
}

function build(name, options) {
  const temporary = `${name}.${process.pid}.tmp`;
  const args = [asc, ...common, ...options, '-o', join('build', temporary)];
  const run = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (run.status !== 0) {
    process.stderr.write(`${run.stdout}${run.stderr}`);
    throw new Error(`expected asc to build ${name}, got exit status ${run.status}`);
  }
  renameSync(join(buildDir, temporary), join(buildDir, name));
}

const hash = sourceHash();
const upToDate =
  existsSync(stampPath) &&
  readFileSync(stampPath, 'utf8') === hash &&
  Object.keys(targets).every((name) => existsSync(join(buildDir, name)));
if (!upToDate) {
  mkdirSync(buildDir, { recursive: true });
  for (const [name, options] of Object.entries(targets)) build(name, options);
  writeFileSync(stampPath, hash);
}
