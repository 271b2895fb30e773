import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { projectRoot } from './paths.mjs';

/**
 * The stages of the Dockerfile in order: name (or its index), and instructions as {keyword, flags, words, text}. Knows the
 * instructions this project uses, in shell and exec form.
 */
export function readDockerfile(path = join(projectRoot, 'Dockerfile')) {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages = [];
  for (const line of lines) {
    const [, keyword, rest] = /^([A-Z]+)\s+(.*)$/.exec(line.trim());
    if (keyword === 'FROM') {
      const [, name] = / AS (\S+)$/.exec(rest) ?? [];
      stages.push({ name: name ?? String(stages.length), instructions: [] });
    }
    const flags = [...rest.matchAll(/(?:^|\s)--([a-z-]+)=(\S+)/g)].map((match) => [match[1], match[2]]);
    const text = keyword === 'COPY' || keyword === 'RUN' ? rest.replace(/^(--(from|mount)=\S+\s+)+/, '') : rest;
    const words = text.startsWith('[') ? JSON.parse(text) : text.split(/\s+/);
    stages.at(-1)?.instructions.push({ keyword, flags: Object.fromEntries(flags), words, text });
  }
  return stages;
}

/** The variables that the instructions of a stage set. */
export function environmentOf({ instructions }) {
  const assignments = instructions.filter(({ keyword }) => keyword === 'ENV').flatMap(({ words }) => words);
  return Object.fromEntries(assignments.map((assignment) => assignment.split(/=(.*)/s).slice(0, 2)));
}

/** Regular expressions of the patterns in .dockerignore. */
export function ignoredPatterns(path = join(projectRoot, '.dockerignore')) {
  const patterns = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return patterns.map((pattern) => {
    const source = pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('**/', '\u0000')
      .replaceAll('*', '[^/]*')
      .replaceAll('\u0000', '(.*/)?');
    return new RegExp(`^${source}$`);
  });
}

/** Carry out one COPY of the Dockerfile with folders in place of images: paths below /app are those of the folder. */
export function copyInstruction({ words }, from, target) {
  const sources = words.slice(0, -1);
  const destination = words.at(-1);
  for (const source of sources) {
    const path = join(from, source.replace(/^\/app\/?/, ''));
    if (!existsSync(path)) throw new Error(`expected ${source} to be there for the Dockerfile's COPY, got nothing`);
    const intoFolder = destination.endsWith('/') && !statSync(path).isDirectory();
    const to = join(target, destination, intoFolder ? basename(source) : '');
    mkdirSync(dirname(to), { recursive: true });
    cpSync(path, to, { recursive: true, verbatimSymlinks: true });
  }
}
