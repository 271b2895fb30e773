#!/usr/bin/env node
// `npx factorial` in a clone, before or after any install: prepares the tree, then runs the command line on Node 24.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nodeBinary, prepare, root, run } from '../scripts/bootstrap.mjs';

try {
  await prepare({ quiet: true });
  const cli = join(root, 'service', 'dist', 'bundle', 'main.js');
  const node = nodeBinary();
  if (node === process.execPath) await import(pathToFileURL(cli).href);
  else process.exitCode = await run(node, [cli, ...process.argv.slice(2)], { cwd: process.cwd() });
} catch (error) {
  process.stderr.write(`factorial: ${error.message}\n`);
  process.exitCode = 1;
}
