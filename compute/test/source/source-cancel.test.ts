import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { computeFactorial, defaultBudget, type Progress } from '../../src/index.ts';
import { sourceOf } from './memory-run.ts';

const n = 8_000_000;
const m = 7_900_000;
/** Within this time of an abort everything must have stopped. */
const abortLimitMs = 500;
let scratchDir: string;
let stored: Uint8Array;
beforeAll(async () => {
  scratchDir = await mkdtemp(join(tmpdir(), 'source-cancel-'));
  const chunks: Uint8Array[] = [];
  await using result = await computeFactorial(m, { budget: defaultBudget({ memoryBytes: 2 ** 30, threads: 2 }) });
  for await (const chunk of result.digits()) chunks.push(chunk);
  stored = Buffer.concat(chunks);
});
afterAll(() => rm(scratchDir, { recursive: true }));

test('a run from a stored factorial out of core stops within 500 ms in every phase, and its scratch is gone', async () => {
  const budget = defaultBudget({ memoryBytes: 80 * 2 ** 20, scratchDir, scratchBytes: 2 ** 30, threads: 2 });
  const stopMs: number[] = [];
  const phases = new Set<string>();
  for (const share of [0.01, 0.1, 0.25, 0.45, 0.6, 0.75, 0.97]) {
    const controller = new AbortController();
    const reason = new Error('enough');
    let abortedMs = 0;
    const onProgress = ({ phase, done, total }: Progress) => {
      if (done / total < share || controller.signal.aborted) return;
      phases.add(phase);
      abortedMs = performance.now();
      controller.abort(reason);
    };
    const run = async (): Promise<void> => {
      const options = { budget, from: { n: m, ...sourceOf(stored) }, signal: controller.signal, onProgress };
      const result = await computeFactorial(n, options);
      expect(result.plan).toMatchObject({ storage: 'scratch', from: { used: true } });
      for await (const chunk of result.digits()) if (chunk.length === 0) throw new Error('an empty chunk');
    };
    await expect(run(), `${share}`).rejects.toBe(reason);
    stopMs.push(performance.now() - abortedMs);
    expect(await readdir(scratchDir), `${share}`).toEqual([]);
  }
  expect([...phases]).toEqual(['sieve', 'product', 'emit']);
  // The median: on a busy machine a single run may have to wait for a core.
  expect(stopMs.toSorted((a, b) => a - b)[3], `${stopMs}`).toBeLessThan(abortLimitMs);
});
