import { type Settings, SettingsError } from '@factorial/backing';

/** What a process of the service does: everything, HTTP alone, calculations alone, the state machine alone, or the database's schema alone. */
export type Role = 'all' | 'api' | 'worker' | 'workflow' | 'migrate';

/** Services that a process needs beside itself, by role: what it would otherwise keep in its own memory or folder. */
const sharedServices = {
  all: [],
  api: ['DATABASE_URL', 'AMQP_URL', 'S3_BUCKET'],
  worker: ['DATABASE_URL', 'AMQP_URL', 'S3_BUCKET'],
  workflow: ['DATABASE_URL', 'S3_BUCKET'],
  migrate: ['DATABASE_URL'],
} as const satisfies Record<Role, readonly (keyof Settings)[]>;

const commands: Readonly<Record<Role, string>> = {
  all: 'start',
  api: 'start:api',
  worker: 'start:worker',
  workflow: 'start:workflow',
  migrate: 'migrate',
};

const meanings: Readonly<Record<string, string>> = {
  DATABASE_URL: 'the database that its processes share',
  AMQP_URL: 'the broker that its processes share',
  S3_BUCKET: 'the bucket that its processes share',
};

/** Throws `SettingsError` naming every shared service that this role needs and the settings do not give. */
export function assertRole(role: Role, settings: Settings): void {
  const missing = sharedServices[role].filter((name) => settings[name] === undefined);
  if (missing.length === 0) return;
  throw new SettingsError(
    missing.map((name) => `${name}: expected ${meanings[name]} for npm run ${commands[role]}, got none`),
  );
}
