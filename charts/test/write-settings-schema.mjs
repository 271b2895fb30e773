// Writes the settings of the service's table into values.schema.json: `node charts/test/write-settings-schema.mjs`, after a build.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { factorialChart, projectRoot } from './paths.mjs';
import { settingsSchemas } from './settings-schema.mjs';
import { settingsTable } from './settings-table.mjs';

const path = join(factorialChart, 'values.schema.json');
const schema = JSON.parse(readFileSync(path, 'utf8'));
Object.assign(schema.$defs, settingsSchemas(await settingsTable()));
writeFileSync(path, `${JSON.stringify(schema, null, 2)}\n`);
execFileSync(process.execPath, [join(projectRoot, 'scripts', 'lint.mjs'), 'write'], { stdio: 'inherit' });
