import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimPayload } from '../src/tasks/payload.ts';
import { ask, checksums, keysOf, makeDirectory, openStores, removeDirectory, testBudget } from './services.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
let directory: string;
beforeEach(async () => {
  directory = await makeDirectory();
});
afterEach(async () => {
  await removeDirectory(directory);
});

/** Run the container's command as the definition spells it. */
async function container(
  task: string,
  input: unknown,
  stopAfterMs?: number,
): Promise<{ code: number | null; stderr: string }> {
  const env = {
    DATA_DIR: directory,
    TASK_INPUT: typeof input === 'string' ? input : JSON.stringify(input),
    HEARTBEAT_SECONDS: '0.1',
    LEASE_SECONDS: '5',
  };
  const child = spawn(process.execPath, ['sfn/dist/fargate/main.js', task], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
    if (stopAfterMs !== undefined && stderr.includes('begins')) setTimeout(() => child.kill('SIGTERM'), stopAfterMs);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stderr };
}

async function claimed(n: bigint) {
  await using stores = await openStores(directory);
  await ask(stores.metadata, n);
  const outcome = await stores.metadata.claim(n, 'execution:test', { leaseMs: 600_000, maxInterruptions: 5 });
  if (outcome.kind !== 'claimed') throw new Error('no claim');
  return claimPayload(outcome.claim);
}

describe('a container', () => {
  it('calculates and verifies, and ends with 0; doing it again changes nothing', async () => {
    const claim = await claimed(1000n);
    for (let run = 0; run < 2; run += 1) {
      expect(await container('calculate', { claim, budget: testBudget })).toMatchObject({ code: 0 });
      expect(await container('verify', { claim, readbackMaxBytes: '1000000' })).toMatchObject({ code: 0 });
    }
    await using stores = await openStores(directory);
    expect(await stores.objects.checksum(claim.objectKey)).toEqual({ size: 2568n, sha256: checksums[1000] });
    expect(await stores.metadata.find(1000n)).toMatchObject({ status: 'uploading', leaseOwner: 'execution:test' });
  });

  it('ends with 70 and leaves the reason when no other try can help', async () => {
    const claim = await claimed(50_000_000_000n);
    const { code, stderr } = await container('calculate', { claim, budget: testBudget });
    expect(code).toBe(70);
    expect(stderr).toMatch(/PlanCapacityError|memory|largest n/);
    await using stores = await openStores(directory);
    const [note] = await keysOf(stores.objects);
    expect(note).toMatch(/\.error\.json$/);
  });

  it('ends with 75 when another try may succeed', async () => {
    const claim = await claimed(1000n);
    const { code } = await container('verify', { claim, readbackMaxBytes: '1000000' });
    expect(code).toBe(75);
  });

  it('ends with 70, writing nothing, when somebody else owns the row', async () => {
    const claim = await claimed(1000n);
    const { code } = await container('calculate', { claim: { ...claim, fence: '99' }, budget: testBudget });
    expect(code).toBe(70);
    await using stores = await openStores(directory);
    expect(await keysOf(stores.objects)).toEqual([]);
  });

  it('ends with 143 and leaves no object when it is told to stop', async () => {
    const claim = await claimed(3_000_000n);
    expect((await container('calculate', { claim, budget: testBudget }, 300)).code).toBe(143);
    await using stores = await openStores(directory);
    expect(await keysOf(stores.objects)).toEqual([]);
    expect((await stores.metadata.find(3_000_000n))?.leaseOwner).toBe('execution:test');
  });

  it.each([
    ['an unknown task', 'compute', {}],
    ['no input', 'calculate', ''],
    ['an input that is no claim', 'verify', { claim: { number: '5' } }],
    [
      'a number that is no number',
      'calculate',
      { claim: { number: '5e3', owner: 'a', fence: '1', attempt: 1, objectKey: 'a' } },
    ],
  ])('does not end with 0 for %s', async (_what, task, input) => {
    const { code, stderr } = await container(task, input);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/expected/);
  });
});
