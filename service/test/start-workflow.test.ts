import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const entry = fileURLToPath(new URL('../dist/start/workflow.js', import.meta.url));
const shared = { DATABASE_URL: 'postgres://user:secret-word@127.0.0.1:1/db', S3_BUCKET: 'results', WORKFLOW_PORT: '0' };

/** What the process says when it cannot start. */
function refusal(environment: Readonly<Record<string, string>>): string {
  const { status, stderr } = spawnSync(process.execPath, [entry], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: environment,
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(status).toBe(1);
  return stderr;
}

describe('npm run start:workflow', () => {
  it('names the shared services it needs and was not given', () => {
    expect(refusal({})).toMatch(/DATABASE_URL: expected .* npm run start:workflow[\s\S]*S3_BUCKET: expected/);
  });

  it('refuses more executions at once than the memory can hold, with the least that works, and shows no secret', () => {
    const said = refusal({ ...shared, COMPUTE_MEMORY_BYTES: '100MiB', LARGE_CONCURRENCY: '2' });
    expect(said).toMatch(/COMPUTE_MEMORY_BYTES: expected at least 134217728 for 2 executions at once, got 104857600/);
    expect(said).not.toContain('secret-word');
  });

  it('names an address that is not of this machine', () => {
    expect(refusal({ ...shared, HOST: '192.0.2.1' })).toMatch(/EADDRNOTAVAIL/);
  });
});
