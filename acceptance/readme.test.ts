import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './product.ts';

const readme = readFileSync(join(root, 'acceptance', 'README.md'), 'utf8');
/** Fault, file and title of each line of the inventory. */
const lines = [...readme.matchAll(/^\| .+ \| +`([a-z-]+\.test\.ts)` +\| +`(.+?)` +\|$/gm)];

it('every test that the inventory of faults names is there, by its title', () => {
  expect(lines.length).toBeGreaterThan(30);
  for (const [, file = '', title = ''] of lines) {
    const path = join(root, 'acceptance', 'real-services', file);
    expect(existsSync(path), file).toBe(true);
    expect(readFileSync(path, 'utf8'), file).toContain(`'${title}'`);
  }
});
