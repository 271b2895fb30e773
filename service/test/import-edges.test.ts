import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The only imports between packages: the arrows of the architecture picture in the README. */
const drawnEdges: Readonly<Record<string, readonly string[]>> = {
  compute: [],
  backing: ['compute'],
  api: ['backing', 'compute'],
  worker: ['backing', 'compute'],
  sfn: ['backing', 'compute'],
  service: ['api', 'worker', 'sfn', 'backing', 'compute'],
  bench: ['compute'],
};

/** Files of `compute` that may know a network service. */
const networkFiles = new Set(['compute/src/sink/s3.ts', 'compute/src/sink/s3.test.ts']);

interface Import {
  readonly file: string;
  readonly specifier: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

/** Module specifiers of every static, side-effect, dynamic and re-exporting import, comments left out. */
function specifiersOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
  const pattern = /(?:(?<!['"])\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(['"])([^'"\n]+)\1/g;
  return [...code.matchAll(pattern)].map((match) => match[2] ?? '');
}

function violation({ file, specifier }: Import): string | undefined {
  const owner = file.split('/')[0] ?? '';
  if (specifier.startsWith('.')) {
    const target = relative(root, resolve(root, dirname(file), specifier))
      .split(sep)
      .join('/');
    return target.startsWith(`${owner}/`) ? undefined : `${file} reaches out of its package to ${specifier}`;
  }
  if (specifier.startsWith('node:')) return undefined;
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (builtinModules.includes(name)) return `${file} imports ${specifier} without node:`;
  if (name.startsWith('@factorial/')) {
    const target = name.slice('@factorial/'.length);
    return drawnEdges[owner]?.includes(target)
      ? undefined
      : `${file} imports ${specifier}: the edge ${owner} → ${target} is not drawn`;
  }
  if (owner === 'compute' && name.startsWith('@aws-sdk/') && !networkFiles.has(file)) {
    return `${file} imports ${specifier}: only the S3 sink may know a network service`;
  }
  return undefined;
}

function dependenciesOf(folder: string): Set<string> {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
  const shared = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  return new Set([
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.devDependencies ?? {}),
    ...Object.keys(shared.devDependencies),
  ]);
}

const imports: Import[] = Object.keys(drawnEdges).flatMap((folder) =>
  [...sourceFiles(`${folder}/src`)].flatMap((file) =>
    specifiersOf(readFileSync(join(root, file), 'utf8')).map((specifier) => ({ file, specifier })),
  ),
);

describe('imports between packages', () => {
  it('follow the drawn edges only', () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(imports.map(violation).filter((found) => found !== undefined)).toEqual([]);
  });

  it('name only what the package declares', () => {
    const undeclared = imports.filter(({ file, specifier }) => {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) return false;
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      return !dependenciesOf(file.split('/')[0] ?? '').has(name);
    });
    expect(undeclared).toEqual([]);
  });

  it.each([
    ['compute/src/index.ts', '@factorial/backing'],
    ['api/src/index.ts', '@factorial/worker'],
    ['worker/src/index.ts', '@factorial/api'],
    ['sfn/src/index.ts', '@factorial/worker'],
    ['bench/src/index.ts', '@factorial/service'],
    ['backing/src/index.ts', '../../api/src/index.ts'],
    ['compute/src/index.ts', '@aws-sdk/client-s3'],
    ['compute/src/index.ts', 'fs'],
  ])('would refuse %s importing %s', (file, specifier) => {
    expect(violation({ file, specifier })).toBeDefined();
  });

  it('are found in every form', () => {
    const source = `
      import a from 'a'; import type { B } from "b"; export * from 'c'; import 'd';
      const e = await import('e'); import {
        f,
      } from 'f'; // import 'comment'
      /* import 'block' */
      // from 'line'`;
    expect(specifiersOf(source)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('leave the environment to the start of the service and of the tasks of the workflow', () => {
    const readers = Object.keys(drawnEdges)
      .flatMap((folder) => sourceFiles(`${folder}/src`))
      .filter((file) => !file.endsWith('.test.ts') && readFileSync(join(root, file), 'utf8').includes('process.env'));
    expect(readers.sort()).toEqual([
      'service/src/cli/prune-command.ts',
      'service/src/start/run-role.ts',
      'service/src/start/workflow.ts',
      'sfn/src/fargate/main.ts',
      'sfn/src/process-services.ts',
    ]);
  });
});
