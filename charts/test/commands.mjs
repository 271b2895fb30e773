import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './paths.mjs';

/**
 * Commands of parts that are not in the tree yet. A command that has come to be there must leave this list: a test says so.
 */
export const announcedCommands = [
  'service/dist/start/api.js',
  'service/dist/start/worker.js',
  'service/dist/start/migrate.js',
  'sfn/dist/fargate/main.js',
];

/** The source from which a built file comes: service/dist/start/api.js → service/src/start/api.ts. */
export const sourceOf = (built) => built.replace('/dist/', '/src/').replace(/\.js$/, '.ts');

/** Why a command of `node` cannot run from the tree; undefined when it can. */
export function commandProblem([program, script]) {
  if (program !== 'node') return `expected node, got ${program}`;
  if (script.startsWith('--')) return undefined;
  if (announcedCommands.includes(script) || existsSync(join(projectRoot, sourceOf(script)))) return undefined;
  return `expected ${sourceOf(script)} in the tree for ${script}, got none`;
}
