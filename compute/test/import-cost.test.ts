import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const index = new URL('../dist/index.js', import.meta.url).href;

/** Addresses of all modules loaded while the script runs in a process of its own. */
function modulesLoadedBy(script: string): string[] {
  const recorder = `
    import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { console.log(url); return next(url, context); } });`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', recorder + script], { encoding: 'utf8' });
  expect(child.stderr).toBe('');
  return child.stdout.trim().split('\n');
}

test('importing the library and planning load no dependency', () => {
  const modules = modulesLoadedBy(
    `const { planFactorial } = await import(${JSON.stringify(index)}); planFactorial(10n ** 6n);`,
  );
  expect(modules).toContain(index);
  expect(modules.filter((module) => module.includes('node_modules'))).toEqual([]);
});

test.each([
  [100, false],
  [30_000, true],
])(
  'a factorial that needs no threads loads no dependency: neither GMP nor the pool nor the AWS SDK (%i!)',
  (n, loadsRun) => {
    const modules = modulesLoadedBy(`
    const { computeFactorial } = await import(${JSON.stringify(index)});
    for await (const chunk of (await computeFactorial(${n})).digits()) chunk.fill(0);`);
    // The tiny one is part of the library; the run of others is loaded when there is one.
    expect(modules.some((module) => module.endsWith('/engine/decimal/run.js'))).toBe(loadsRun);
    expect(modules.filter((module) => module.includes('node_modules'))).toEqual([]);
  },
);
