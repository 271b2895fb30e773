import { createHash } from 'node:crypto';
import { runCalculation } from '@factorial/backing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pruneResults } from '../src/prune/prune.ts';
import { openTestServices, type TestServices, testOptions, withFault } from './services.ts';

let services: TestServices;
beforeEach(async () => {
  services = await openTestServices();
});
afterEach(async () => {
  await services[Symbol.asyncDispose]();
});

const never = new AbortController().signal;
const calculation = { ...testOptions(), budget: testOptions().budgets['small.quick'] };

async function store(n: bigint) {
  await services.ask(n);
  const outcome = await services.metadata.claim(n, 'prune-test', { leaseMs: 5_000, maxInterruptions: 5 });
  if (outcome.kind !== 'claimed') throw new Error(`expected a claim, got ${outcome.kind}`);
  const result = await runCalculation(outcome.claim, services, calculation, never);
  if (result.kind !== 'done') throw new Error(`expected done, got ${result.kind}`);
  await new Promise((next) => setTimeout(next, 5));
  return result.row;
}

async function keys(): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of services.objects.list()) found.push(key);
  return found.sort();
}

describe('pruning', () => {
  it('removes the least recently read results, row, cached value and object, until the rest fits', async () => {
    const [first, second, third] = [await store(1_000n), await store(2_000n), await store(3_000n)];
    await services.metadata.touchRead(first.n);
    const untilBytes = (first.size ?? 0n) + (third.size ?? 0n);
    const removed: bigint[] = [];
    const options = { untilBytes, dryRun: false, onRemoved: ({ n }: { n: bigint }) => void removed.push(n) };
    expect(await pruneResults(services, { ...options, dryRun: true }, never)).toMatchObject({ removedCount: 1 });
    expect(await keys()).toHaveLength(3);
    expect(await pruneResults(services, options, never)).toEqual({
      removedCount: 1,
      removedBytes: second.size,
      keptBytes: untilBytes,
    });
    expect(removed).toEqual([2_000n, 2_000n]);
    expect(await services.metadata.find(2_000n)).toBeUndefined();
    expect(await services.cache.get(2_000n)).toBeUndefined();
    expect(await keys()).toEqual([first.objectKey, third.objectKey].sort());
    expect(await pruneResults(services, options, never)).toMatchObject({ removedCount: 0 });
  });

  it('lets a reader that has begun read every digit to the end', async () => {
    const row = await store(100_000n);
    const reading = await services.objects.read(row.objectKey);
    const hash = createHash('sha256');
    let pruned = false;
    for await (const chunk of reading) {
      hash.update(chunk);
      if (!pruned) await pruneResults(services, { untilBytes: 0n, dryRun: false }, never);
      pruned = true;
    }
    expect(hash.digest('hex')).toBe(row.checksum);
    expect(await keys()).toEqual([]);
  });

  it('leaves a result that is read meanwhile, and removes others instead', async () => {
    await store(1_000n);
    const busy = await store(2_000n);
    await store(3_000n);
    let looked = false;
    const metadata = withFault(services.metadata, {
      removeDone: async (row) => {
        if (!looked) await services.metadata.touchRead(row.n);
        looked = true;
        return await services.metadata.removeDone(row);
      },
    });
    const untilBytes = (busy.size ?? 0n) * 2n;
    await pruneResults({ ...services, metadata }, { untilBytes, dryRun: false }, never);
    expect((await services.metadata.find(1_000n))?.status).toBe('done');
    expect(await keys()).toHaveLength((await services.metadata.list(10)).rows.length);
  });

  it('leaves no row without an object, however early it dies', async () => {
    for (const n of [1_000n, 2_000n]) await store(n);
    const objects = withFault(services.objects, {
      remove: async () => {
        throw new Error('killed');
      },
    });
    await expect(pruneResults({ ...services, objects }, { untilBytes: 0n, dryRun: false }, never)).rejects.toThrow();
    const { rows } = await services.metadata.list(10);
    expect(rows).toHaveLength(1);
    for (const row of rows) expect(await services.objects.stat(row.objectKey)).toBeDefined();
  });
});
