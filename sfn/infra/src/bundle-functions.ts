import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { projectRoot } from './paths.ts';

/** Functions of the state machine, by the file of `sfn/dist/lambda` that is their entry point. */
export const functionNames = ['plan', 'calculate', 'verify', 'publish', 'clean-up'] as const;
export type FunctionName = (typeof functionNames)[number];

/** Starts threads from files of its own, so it is shipped as it is, with what it depends on. */
const shippedPackage = '@factorial/compute';
/** Loaded lazily by adapters that no task uses, or optional parts of others. */
const neverLoaded = ['aws-local-stepfunctions', '@aws-sdk/client-sfn', 'ioredis', 'pg-native'];

/**
 * Make the one code folder of all functions: an ES module for each, bundled from the project's build, and the compute
 * library beside them. Needs the project built; needs no network.
 */
export async function bundleFunctions(folder: string): Promise<void> {
  const entry = (name: FunctionName): string => join(projectRoot, 'sfn', 'dist', 'lambda', `${name}.js`);
  if (!existsSync(entry('plan')))
    throw new Error(`expected the project to be built, got no ${entry('plan')}: run npm run build`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: Object.fromEntries(functionNames.map((name) => [name, entry(name)])),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // CommonJS packages in an ES module ask for `require`.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    external: [shippedPackage, ...neverLoaded],
    logLevel: 'error',
  });
  writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}\n');
  copyPackages(join(folder, 'node_modules'));
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Copy the shipped package and every package it needs, nested ones where they are nested here. */
function copyPackages(target: string): void {
  const copied = new Set<string>();
  const visit = (name: string, from: string): void => {
    const found = findPackage(name, from);
    if (copied.has(found)) return;
    copied.add(found);
    const inside = found.slice(found.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const nested = found.startsWith(join(projectRoot, 'node_modules'))
      ? found.slice(join(projectRoot, 'node_modules').length + 1)
      : inside;
    const real = realpathSync(found);
    cpSync(real, join(target, nested), { recursive: true, filter: (path) => isShipped(path, real) });
    const { dependencies = {} } = JSON.parse(readFileSync(join(real, 'package.json'), 'utf8')) as Manifest;
    for (const dependency of Object.keys(dependencies)) visit(dependency, found);
  };
  visit(shippedPackage, projectRoot);
}

/** Code only: no sources, tests, maps, or packages nested below (they are visited by themselves). */
function isShipped(path: string, packageFolder: string): boolean {
  const inside = path.slice(packageFolder.length);
  if (inside.includes('/node_modules')) return false;
  const own = !packageFolder.includes('node_modules');
  return !(own && /^\/(src|test|assembly|literature)(\/|$)/.test(inside)) && !/\.(map|tsbuildinfo|d\.ts)$/.test(inside);
}

/** Where Node would find the package from a folder. */
function findPackage(name: string, from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (folder === dirname(folder)) throw new Error(`expected ${name} to be installed, got none from ${from}`);
  }
}
