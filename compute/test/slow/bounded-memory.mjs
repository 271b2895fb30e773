// The long runs: n! out of core through the built command line tool, whose checksum and peak memory must be what is promised.
// Usage: node compute/test/slow/bounded-memory.mjs [n…], default 30000000 100000000. Scratch goes to a folder of its own in the system's temporary folder.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const mebibyte = 2 ** 20;
/** What the runtime itself may take beside the budget. */
const runtimeBytes = 130 * mebibyte;
const cases = {
  10000000: [128, '826efc38f85607268e500a06dc9802b5ab9a898e3da27c1afa88b4c855265013'],
  30000000: [256, '7f30ea34cd826d1d3b6ddd1903e49defe34cc2e5de5135549627b9ccdf9a161b'],
  100000000: [512, '697b5a877a28e77715734f25717ed01f71edac6780b5d21a53432c171836e24c'],
  1000000000: [1024, '2541312e0dc7158ad5dd3f4f7e8071d07b1b9cb734e295036f11f48592b55d20'],
};
/** Out of core a run may take so many times what it takes in memory, where memory holds it. */
const timesInMemory = { 30000000: 2 };
const cli = fileURLToPath(new URL('../../../service/dist/cli/main.js', import.meta.url));
const chosen = process.argv.length > 2 ? process.argv.slice(2) : ['30000000', '100000000'];

/** What the command line tool says of one calculation. */
function factsOf(args) {
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] };
  const run = spawnSync(process.execPath, [cli, ...args, '--json'], options);
  if (run.status !== 0) throw new Error(`factorial ${args.join(' ')} ended with status ${run.status}`);
  return JSON.parse(run.stdout);
}

for (const n of chosen) {
  const [memory, sha256] = cases[n] ?? [];
  if (sha256 === undefined) throw new Error(`expected one of ${Object.keys(cases)}, got ${n}`);
  const scratch = mkdtempSync(join(tmpdir(), 'bounded-memory-'));
  try {
    const facts = factsOf([n, '--memory', `${memory}MiB`, '--scratch', scratch]);
    process.stdout.write(`${n}! ${facts.seconds} s, ${Math.round(facts.peakRssBytes / mebibyte)} of ${memory} MiB\n`);
    if (facts.sha256 !== sha256) throw new Error(`${n}!: expected SHA-256 ${sha256}, got ${facts.sha256}`);
    const allowed = memory * mebibyte + runtimeBytes;
    if (facts.peakRssBytes > allowed)
      throw new Error(`${n}!: expected ${allowed} bytes at most, got ${facts.peakRssBytes}`);
    const times = timesInMemory[n];
    if (times === undefined) continue;
    const inMemory = factsOf([n, '--memory', '8GiB']);
    process.stdout.write(`${n}! in memory ${inMemory.seconds} s\n`);
    if (inMemory.sha256 !== sha256) throw new Error(`${n}! in memory: expected ${sha256}, got ${inMemory.sha256}`);
    if (facts.seconds > times * inMemory.seconds) {
      throw new Error(`${n}!: expected at most ${times} times ${inMemory.seconds} s, got ${facts.seconds} s`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
