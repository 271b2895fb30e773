// Lints and formats the tree with Biome: `check` reports, `write` mends. The platform's binary is a dependency of its own,
// because the package that would choose it names platforms whose binaries not every registry mirror carries.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './bootstrap.mjs';

const modes = { check: ['check', '--error-on-warnings', '.'], write: ['check', '--write', '.'] };
const mode = process.argv[2] ?? 'check';
const folder = `@biomejs/cli-${process.platform}-${process.arch}`;
const biome = join(root, 'node_modules', folder, process.platform === 'win32' ? 'biome.exe' : 'biome');

if (!Object.hasOwn(modes, mode)) {
  process.stderr.write(`expected check or write, got ${mode}\n`);
  process.exitCode = 2;
} else if (!existsSync(biome)) {
  process.stderr.write(
    `Biome for this platform is missing: npm install --no-save ${folder}@2.6.8, then run this again\n`,
  );
  process.exitCode = 1;
} else {
  process.exitCode = await run(biome, modes[mode]);
}
