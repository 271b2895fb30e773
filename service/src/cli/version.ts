import { readFileSync } from 'node:fs';

/** Version of the service, from its manifest. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
