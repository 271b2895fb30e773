import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const testFolder = dirname(fileURLToPath(import.meta.url));
export const chartsFolder = dirname(testFolder);
export const projectRoot = dirname(chartsFolder);
export const factorialChart = join(chartsFolder, 'factorial');
export const stackChart = join(chartsFolder, 'factorial-stack');
/** Unpacked tools and assembled folders; not kept in the repository. */
export const buildFolder = join(testFolder, 'build');
