import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { golden } from './golden.ts';
import { finished, root, start, temporaryFolder, userEnvironment } from './product.ts';

/** What is committed, cloned into an empty folder with nothing beside it. */
describe('a fresh clone', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(async () => {
    await folder.remove();
  });

  it('installs, builds and answers npx factorial by itself, then again without preparing', async () => {
    const clone = join(folder.path, 'clone');
    const env = userEnvironment();
    expect((await finished(start('git', ['clone', '--quiet', root, clone], { env }))).code).toBe(0);
    const first = await finished(start('npx', ['factorial', '20000', '--json'], { cwd: clone, env }), 280_000);
    expect(first.stderr).toContain('Installing');
    expect(JSON.parse(first.stdout.toString())).toMatchObject({ sha256: golden(20_000).sha256, verified: true });
    const second = await finished(start('npx', ['factorial', '20000', '--json'], { cwd: clone, env }));
    expect(second.stderr).toBe('');
    expect(JSON.parse(second.stdout.toString())).toMatchObject({ sha256: golden(20_000).sha256 });
  }, 400_000);
});
