import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../../backing/dev/redis.ts';
import type { RunningServer } from '../../backing/dev/server.ts';
import { type Finished, finished, root, start, temporaryFolder, userEnvironment } from '../product.ts';

const withoutApt = fileURLToPath(new URL('without-apt.sh', import.meta.url));
/** A suite for each kind of server, and one that needs none. */
const suites = {
  'backing/test/postgres-metadata-store.test.ts': 'TEST_DATABASE_URL',
  'backing/test/mysql-metadata-store.test.ts': 'TEST_MYSQL_URL',
  'backing/test/redis-digit-cache.test.ts': 'TEST_REDIS_URL',
  'backing/test/rabbitmq-calculation-queue.test.ts': 'TEST_AMQP_URL',
  'backing/test/s3-object-store.test.ts': 'TEST_S3_ENDPOINT',
} as const;
const embedded = 'backing/test/memory-digit-cache.test.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let redis: RunningServer;
beforeAll(async () => {
  folder = await temporaryFolder();
  redis = await startRedis();
});
afterAll(async () => {
  await redis?.dispose();
  await folder?.remove();
});

/** `npm test` of these suites where neither apt-get nor a server is to be found. */
async function testWithoutApt(files: readonly string[], settings: Readonly<Record<string, string>>): Promise<Finished> {
  const place = await mkdtemp(join(folder.path, 'machine-'));
  const test = [process.execPath, join('scripts', 'test.mjs'), ...files];
  const args = ['--map-root-user', '--mount', 'sh', withoutApt, place, ...test];
  const unset = Object.fromEntries(Object.values(suites).map((name) => [name, '']));
  const env = userEnvironment({ ...unset, NO_COLOR: '1', ...settings });
  return await finished(start('unshare', args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] }), 200_000);
}

const unrun = (text: string) => text.split('\n').filter((line) => line.startsWith('could not run'));

describe('npm test on a machine without apt', { timeout: 240_000 }, () => {
  it('says of every suite that needs a server that it could not run, and what to do, and exits with 1', async () => {
    const { code, stdout } = await testWithoutApt([...Object.keys(suites), embedded], {});
    const text = stdout.toString();
    expect(code).toBe(1);
    expect(unrun(text)).toHaveLength(Object.keys(suites).length);
    for (const [file, variable] of Object.entries(suites)) {
      expect(unrun(text).find((line) => line.includes(file))).toMatch(
        new RegExp(
          `^could not run ${file}: expected the Debian packages .*, got none: there is no apt-get.*${variable}`,
        ),
      );
    }
    expect(text).toMatch(/memory-digit-cache\.test\.ts/);
    expect(text.trimEnd().split('\n').at(-1)).toMatch(/^[1-9][0-9]* passed, [1-9][0-9]* failed$/);
  });

  it('runs the suites whose server is given, and the last line still counts the others', async () => {
    const files = ['backing/test/redis-digit-cache.test.ts', 'backing/test/postgres-metadata-store.test.ts'];
    const { code, stdout } = await testWithoutApt(files, { TEST_REDIS_URL: redis.url });
    const text = stdout.toString();
    expect(code).toBe(1);
    expect(unrun(text)).toEqual([expect.stringContaining('postgres-metadata-store.test.ts')]);
    expect(text.trimEnd().split('\n').at(-1)).toMatch(/^[1-9][0-9]* passed, [1-9][0-9]* failed$/);
    const alone = await testWithoutApt(files.slice(0, 1), { TEST_REDIS_URL: redis.url });
    expect([alone.code, unrun(alone.stdout.toString())]).toEqual([0, []]);
  });
});
