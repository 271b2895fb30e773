/**
 * How much faster is the whole process n → digits in a file than native GMP?
 *
 * Usage: node bench/src/peers.ts [n…]. Builds native/factorial-gmp.c with gcc and libgmp-dev, verifies that all programs write the same digits, then runs
 * them in turn and takes medians.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureProcess, median, type ProcessCost, sha256OfFile } from './measured-process.ts';
import { buildNativeGmp } from './native-gmp.ts';
import { record } from './record.ts';

const numbers = process.argv.length > 2 ? process.argv.slice(2) : ['1000000', '10000000'];
const folder = mkdtempSync(join(tmpdir(), 'factorial-bench-'));
const out = join(folder, 'digits');
const gmp = buildNativeGmp(folder);
const script = fileURLToPath(new URL('../dist/compute-file.js', import.meta.url));
/** The `factorial` executable on this Node; it looks whether the clone is built, as it does for everybody. */
const cli = fileURLToPath(new URL('../../bin/factorial.mjs', import.meta.url));
const bundle = fileURLToPath(new URL('../../service/dist/bundle/main.js', import.meta.url));

interface Program {
  readonly name: string;
  command(n: string): string[];
}
const ours = (threads: number): Program => ({
  name: `this, ${threads} thread${threads === 1 ? '' : 's'}`,
  // The command line tool itself where it is built; otherwise the library the way the tool uses it.
  command: (n) =>
    existsSync(bundle)
      ? [process.execPath, cli, n, '--out', out, '--threads', String(threads), '--quiet']
      : [process.execPath, script, n, String(threads), out],
});
const programs: readonly Program[] = [ours(2), ours(1), { name: 'GMP', command: (n) => [gmp, n, out] }];

try {
  const results: unknown[] = [];
  for (const n of numbers) results.push(await compare(n));
  record('peers', results);
} finally {
  rmSync(folder, { recursive: true });
}

async function compare(n: string): Promise<unknown> {
  const digests = new Set<string>();
  for (const program of programs) {
    await measureProcess(program.command(n));
    digests.add(await sha256OfFile(out));
    rmSync(out);
  }
  if (digests.size !== 1)
    throw new Error(`expected the same digits of ${n}! from all programs, got ${[...digests].join(', ')}`);
  const runs = new Map<string, ProcessCost[]>(programs.map(({ name }) => [name, []]));
  for (let round = 0; round < roundsFor(n); round++) {
    for (const { name, command } of programs) {
      runs.get(name)!.push(await measureProcess(command(n)));
      rmSync(out);
    }
  }
  const wall = (name: string) => median(runs.get(name)!.map(({ wallSeconds }) => wallSeconds));
  const best = (name: string) => Math.min(...runs.get(name)!.map(({ wallSeconds }) => wallSeconds));
  return {
    n,
    sha256: [...digests][0],
    rounds: roundsFor(n),
    programs: programs.map(({ name }) => ({
      name,
      medianSeconds: wall(name),
      minSeconds: best(name),
      peakRssMebibytes: Math.max(...runs.get(name)!.map(({ peakRssBytes }) => peakRssBytes)) / 2 ** 20,
    })),
    gmpOverThis: wall('GMP') / wall(programs[0]!.name),
    twoThreadsOverOne: wall(programs[0]!.name) / wall(programs[1]!.name),
  };
}

/** At least five, but a minute of GMP at a time is enough for one sitting. */
function roundsFor(n: string): number {
  return Number(n) <= 2_000_000 ? 9 : 5;
}
