#!/usr/bin/env node
// Joins what the command line needs for a calculation into few files, dist/bundle/, after tsc: a process spends 50 ms on loading
// 70 modules one by one, more than on all digits of 300,000!. The modules themselves stay in dist/ for everybody else.
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const service = join(dirname(fileURLToPath(import.meta.url)), '..');
const compute = join(service, '..', 'compute');
const bundle = join(service, 'dist', 'bundle');
/** Modules that threads of short calculations load, by their path in compute/dist without the ending. */
const taskModules = ['engine/decimal/product-task', 'engine/decimal/text-task'];
/** Packages that go into the bundle; all others are loaded from where they are, when they are needed. */
const inlined = new Set(['@factorial/compute', '@factorial/backing/size-bytes', 'commander']);

const taskName = (module) => module.slice(module.lastIndexOf('/') + 1);
const isPackage = (specifier) =>
  !specifier.startsWith('.') && !specifier.startsWith('/') && !/^[A-Za-z]:/.test(specifier);

/** The library but for what only some runs need: other engines, scratch files, checkpoints, threads. */
function isCalculation(id) {
  const path = relative(join(compute, 'dist'), id).split(sep).join('/');
  return (
    !path.startsWith('..') &&
    !/^(engine\/gmp\/run|engine\/decimal\/external\/run|checkpoint|pool\/(thread-pool|thread-set|idle-threads)|.*-task\.js)/.test(
      path,
    )
  );
}

/** `import.meta.url` goes on meaning the module's own address, but for the threads' modules that are in the bundle too. */
const keepAddresses = {
  name: 'keep-addresses',
  transform(code, id) {
    if (!code.includes('import.meta.url') || id.includes('node_modules')) return null;
    const address = relative(bundle, id).split(sep).join('/');
    let kept = code;
    for (const module of taskModules) {
      const pattern = new RegExp(`new URL\\((['"])(?:\\.\\./)+dist/${module}\\.js\\1, import\\.meta\\.url\\)`, 'g');
      kept = kept.replace(pattern, `new URL('./${taskName(module)}.js', BUNDLE_URL)`);
    }
    kept = kept.replaceAll('import.meta.url', `new URL(${JSON.stringify(address)}, import.meta.url).href`);
    return { code: kept.replaceAll('BUNDLE_URL', 'import.meta.url') };
  },
};

/**
 * Takes Node's own modules as they are. An import makes a view of every export they have, and so loads what stands behind each, web cryptography for a
 * hash: 4 ms of a start of 60.
 */
const plainBuiltins = {
  name: 'plain-builtins',
  renderChunk(code) {
    const taken = (name) => `globalThis.process.getBuiltinModule(${name})`;
    const plain = code
      .replace(/^import \{([^}]*)\} from ("node:[^"]+");$/gm, (_, names, module) => {
        return `const {${names.replaceAll(' as ', ': ')}} = ${taken(module)};`;
      })
      .replace(/^import (\w+) from ("node:[^"]+");$/gm, (_, name, module) => `const ${name} = ${taken(module)};`);
    const left = /^import .*"node:.*$/m.exec(plain);
    if (left !== null) throw new Error(`expected imports of Node's modules by name or default, got: ${left[0]}`);
    return { code: plain };
  },
};

/** Writes the entries as modules of that folder; each file costs a process half a millisecond. */
async function writeBundle(input, output) {
  const build = await rolldown({
    input,
    cwd: service,
    platform: 'node',
    external: (specifier) => isPackage(specifier) && !inlined.has(specifier),
    plugins: [keepAddresses, plainBuiltins],
    onLog(level, log) {
      if (level === 'warn') throw new Error(`expected a bundle without warnings, got: ${log.message}`);
    },
  });
  await build.write({
    dir: bundle,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].[hash].js',
    ...output,
  });
  await build.close();
}

// What all calculations in memory need is one file.
const codeSplitting = { groups: [{ name: 'calculation', test: isCalculation }] };
await writeBundle({ main: join(service, 'dist', 'cli', 'main.js') }, { cleanDir: true, codeSplitting });
// A thread loads what its task needs and no more: a quarter of the calculation, which takes it 9 ms less.
for (const module of taskModules) {
  await writeBundle({ [taskName(module)]: join(compute, 'dist', `${module}.js`) }, { minify: true });
}
