import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { readSettings, settingDefinitions } from '@factorial/backing';
import { describe, expect, it } from 'vitest';
import { renderEnvExample } from './env-example.ts';

const file = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');

describe('.env.example', () => {
  it('is what the settings table says (npm run settings writes it)', () => {
    expect(file).toBe(renderEnvExample());
  });

  it('names every setting and, taken as it is, means the defaults', () => {
    for (const name of Object.keys(settingDefinitions)) expect(file).toMatch(new RegExp(`^(# )?${name}=`, 'm'));
    expect(readSettings(parseEnv(file))).toEqual(readSettings({}));
  });
});
