import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundleFunctions, functionNames } from '../src/bundle-functions.ts';
import { projectRoot } from '../src/paths.ts';

/** Published SHA-256 of the digits of 1000!. */
const checksum = 'cc336cf135d690c1105664b3b859db66b940db51cd66cf891fee120584cf7873';

let folder: string;
let code: string;
let dataFolder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'factorial-functions-'));
  code = join(folder, 'code');
  dataFolder = join(folder, 'data');
  mkdirSync(dataFolder);
  await bundleFunctions(code);
  writeFileSync(
    join(folder, 'call.mjs'),
    `import { text } from 'node:stream/consumers';
const { handler } = await import('./code/' + process.argv[2] + '.mjs');
const event = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(await handler(event, { getRemainingTimeInMillis: () => 900_000 })));
process.exit(0);
`,
  );
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Call a function in a process of its own, away from the project: what is not in its folder is not there. */
function call(name: string, event: object): Record<string, unknown> {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'call.mjs'), name], {
    cwd: folder,
    env: { DATA_DIR: dataFolder },
    input: JSON.stringify(event),
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** The metadata store of the functions, opened here between two calls. */
async function withStore<T>(work: (metadata: MetadataStore) => Promise<T>): Promise<T> {
  const backing = (await import(join(projectRoot, 'backing', 'dist', 'index.js'))) as {
    createSqliteMetadataStore(options: { directory: string }): MetadataStore;
  };
  const metadata = backing.createSqliteMetadataStore({ directory: dataFolder });
  try {
    await metadata.migrate();
    return await work(metadata);
  } finally {
    await metadata.close();
  }
}

interface MetadataStore {
  migrate(): Promise<unknown>;
  request(input: { n: bigint; digits: bigint; trailingZeros: bigint; client: string }): Promise<unknown>;
  find(n: bigint): Promise<{ status: string; checksum: string | null } | undefined>;
  close(): Promise<void>;
}

function bytesOf(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

describe('the bundled functions', () => {
  it('are one module each, far below what a function may hold', () => {
    const files = readdirSync(code);
    for (const name of functionNames) assert.ok(files.includes(`${name}.mjs`), name);
    assert.ok(bytesOf(code) < 100 * 2 ** 20);
  });

  it('bring the authorities of the managed database along', () => {
    const program = `
      process.env.DATABASE_URL = 'postgres://user:password@127.0.0.1:1/db?sslmode=verify-full';
      process.env.DATABASE_CA_FILE = 'rds';
      const { handler } = await import('./code/plan.mjs');
      const event = { number: '1000', attempt: 1, execution: 'tls' };
      const said = await handler(event, { getRemainingTimeInMillis: () => 60_000 }).catch((error) => error);
      console.log(said.name, said.message);
      process.exit(0);`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(status, 0, stderr);
    // The settings and the authorities were fine: what is missing is the server.
    assert.match(stdout, /TransientError.*PostgreSQL/);
  });

  it('carry a number from its plan to its publication with nothing beside them', async () => {
    await withStore((metadata) => metadata.request({ n: 1000n, digits: 2568n, trailingZeros: 249n, client: 'test' }));
    const task = call('plan', { number: '1000', attempt: 1, execution: 'bundled' }) as {
      class: string;
      claim: object;
      calculate: { input: object };
      verify: { input: object };
    };
    assert.equal(task.class, 'lambda');
    call('calculate', task.calculate.input);
    call('verify', task.verify.input);
    assert.deepEqual(call('publish', { claim: task.claim }), { size: '2568', checksum });
    assert.deepEqual(await withStore(async (metadata) => (await metadata.find(1000n))?.status), 'done');
    const error = { Error: 'States.Timeout', Cause: '' };
    assert.deepEqual(call('clean-up', { number: '1000', execution: 'bundled', error }), { outcome: 'done' });
  });
});
