import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Writes results/<name>.json with the machine and the commit they were measured on, and prints the same. */
export function record(name: string, results: unknown): void {
  const folder = new URL('../results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const head = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: fileURLToPath(folder), encoding: 'utf8' });
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    /** Of the last minute. */
    loadAverage: loadavg()[0],
  };
  const text = JSON.stringify({ commit: head.trim(), machine, results }, undefined, 2);
  writeFileSync(new URL(`${name}.json`, folder), `${text}\n`);
  console.log(text);
}
