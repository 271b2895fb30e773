import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isGone, isLiving, ownerMark } from '../../src/limbs/scratch-owner.ts';
import { ScratchStore, scratchFolderPrefix } from '../../src/limbs/scratch-store.ts';

const storeModule = fileURLToPath(new URL('../../dist/limbs/scratch-store.js', import.meta.url));
let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'scratch-sweep-'));
});
afterEach(() => rm(parent, { recursive: true }));

/** A process that holds a scratch folder until it is killed. */
async function holdScratch() {
  const script = `import { ScratchStore } from ${JSON.stringify(storeModule)};
    const store = await ScratchStore.open(${JSON.stringify(parent)}, 1e6);
    await store.create('a', 1000); console.log(store.directory); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    directory: line.toString().trim(),
    kill: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

test("what a killed process left is removed by the next run, a living one's is not", async () => {
  const [killed, living] = [await holdScratch(), await holdScratch()];
  await killed.kill();
  await using store = await ScratchStore.open(parent, 1000);
  const names = (await readdir(parent)).map((name) => join(parent, name)).toSorted();
  expect(names).toEqual([living.directory, store.directory].toSorted());
  expect(await readdir(living.directory)).toHaveLength(2);
  await living.kill();
});

test('a process number that was given to another process since does not keep the scratch', async () => {
  const mark = JSON.parse(ownerMark());
  expect(isLiving(JSON.stringify(mark))).toBe(true);
  const reused = JSON.stringify({ ...mark, started: `${Number(mark.started) - 1}` });
  expect([isLiving(reused), isGone(reused)]).toEqual([false, true]);
  const rebooted = JSON.stringify({ ...mark, boot: 'another' });
  expect([isLiving(rebooted), isGone(rebooted)]).toEqual([false, true]);
});

test('what was written on another machine or in another container, without a mark, or under another name, stays', async () => {
  const mark = JSON.parse(ownerMark());
  const gone = { ...mark, pid: 2 ** 30 };
  const kept: Record<string, string> = {
    [`${scratchFolderPrefix}host`]: JSON.stringify({ ...gone, host: 'elsewhere' }),
    [`${scratchFolderPrefix}container`]: JSON.stringify({ ...gone, namespace: 'pid:[1]' }),
    [`${scratchFolderPrefix}strange`]: '{"pid":',
    [`${scratchFolderPrefix}number`]: '12',
    'my-folder': JSON.stringify(gone),
  };
  for (const [name, text] of Object.entries(kept)) {
    await mkdir(join(parent, name));
    await writeFile(join(parent, name, 'owner'), text);
  }
  await mkdir(join(parent, `${scratchFolderPrefix}bare`));
  await mkdir(join(parent, `${scratchFolderPrefix}gone`));
  await writeFile(join(parent, `${scratchFolderPrefix}gone`, 'owner'), JSON.stringify(gone));
  const before = new Set(await readdir(parent));
  await (await ScratchStore.open(parent, 1000))[Symbol.asyncDispose]();
  before.delete(`${scratchFolderPrefix}gone`);
  expect(new Set(await readdir(parent))).toEqual(before);
  expect(await readFile(join(parent, 'my-folder', 'owner'), 'utf8')).toBe(JSON.stringify(gone));
});
