import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from './paths.mjs';

/** A module of the built project by its path. Throws when the project is not built. */
export async function builtModule(path) {
  const absolute = join(projectRoot, path);
  if (!existsSync(absolute)) throw new Error(`expected the project to be built (npm run build), got no ${absolute}`);
  return import(pathToFileURL(absolute).href);
}

/** The service's own settings: `settingDefinitions`, `readSettings`. */
export const settingsModule = () => builtModule('backing/dist/contracts/settings.js');

/** Every setting by name: description, expected, secret. */
export async function settingsTable() {
  const { settingDefinitions } = await settingsModule();
  return settingDefinitions;
}
