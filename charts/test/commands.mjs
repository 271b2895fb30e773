import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './paths.mjs';

/** The source from which a built file comes: service/dist/start/api.js → service/src/start/api.ts. */
export const sourceOf = (built) => built.replace('/dist/', '/src/').replace(/\.js$/, '.ts');

/** Why a command of `node` cannot run from the tree; undefined when it can. */
export function commandProblem([program, script]) {
  if (program !== 'node') return `expected node, got ${program}`;
  if (script.startsWith('--')) return undefined;
  if (existsSync(join(projectRoot, sourceOf(script)))) return undefined;
  return `expected ${sourceOf(script)} in the tree for ${script}, got none`;
}
