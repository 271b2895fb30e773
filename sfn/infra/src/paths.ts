import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the project, whose build and dependencies the functions are made of. */
export const projectRoot: string = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const definitionPath: string = join(projectRoot, 'sfn', 'definition', 'factorial.asl.json');
export const functionsFolder: string = join(projectRoot, 'sfn', 'infra', 'build', 'functions');
